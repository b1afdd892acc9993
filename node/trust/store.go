package trust

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A Peer is a node or an operator elsewhere that was enrolled.
type Peer struct {
	Name      string     `json:"name"`
	Key       Key        `json:"key"`
	Rights    Rights     `json:"rights"`              // what it may do here
	Addresses []string   `json:"addresses,omitempty"` // where it is dialled; none: it dials
	Enrolled  time.Time  `json:"enrolled"`
	Revoked   *time.Time `json:"revoked,omitempty"`
}

// state is the file peers.json.
type state struct {
	Name   string   `json:"name,omitempty"` // what this identity is called where it was enrolled
	Peers  []Peer   `json:"peers"`
	Tokens []Issued `json:"tokens"`
}

const stateFile = "peers.json"

// A Store is a directory with an identity and what it knows of others. All of it is mode 0600
// in a directory of mode 0700.
type Store struct {
	dir   string
	id    *identity
	lock  *os.File // nil: read only
	clock func() time.Time

	mu      sync.Mutex
	state   state
	changed chan struct{} // closed and replaced when the state changes
}

var (
	// ErrInUse is wrapped when another process has the directory open for writing.
	ErrInUse = errors.New("another process has it open")
	// ErrUnknown is wrapped for a peer that is not enrolled.
	ErrUnknown = errors.New("not enrolled")
	// ErrRevoked is wrapped for a peer that was.
	ErrRevoked = errors.New("revoked")
)

// Open opens a directory for the one process that may change it; what is missing is made.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open trust: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open trust: %w", err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		lock.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = ErrInUse
		}
		return nil, fmt.Errorf("open trust %s: %w", dir, err)
	}
	s, err := open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if s, err = create(dir); err == nil {
			err = s.write(&s.state)
		}
	}
	if err != nil {
		lock.Close()
		return nil, err
	}
	s.lock = lock
	return s, nil
}

// Read opens a directory without changing it.
func Read(dir string) (*Store, error) { return open(dir) }

func open(dir string) (*Store, error) {
	id, err := loadIdentity(dir)
	if err != nil {
		return nil, err
	}
	s := newStore(dir, id)
	b, err := os.ReadFile(filepath.Join(dir, stateFile))
	if errors.Is(err, fs.ErrNotExist) { // a crash between the two files: nobody is enrolled yet
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read trust: %w", err)
	}
	if err := json.Unmarshal(b, &s.state); err != nil {
		return nil, fmt.Errorf("read trust %s: %w", filepath.Join(dir, stateFile), err)
	}
	return s, nil
}

func create(dir string) (*Store, error) {
	id, err := createIdentity(dir)
	if err != nil {
		return nil, err
	}
	return newStore(dir, id), nil
}

func newStore(dir string, id *identity) *Store {
	return &Store{dir: dir, id: id, clock: time.Now, changed: make(chan struct{})}
}

// Close lets another process open the directory.
func (s *Store) Close() error {
	if s.lock == nil {
		return nil
	}
	return s.lock.Close()
}

// Key is this identity's.
func (s *Store) Key() Key { return s.id.public() }

// Name is what this identity is called where it was enrolled; empty for a node, whose name
// is in its configuration.
func (s *Store) Name() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.Name
}

// Changed is closed at the next change.
func (s *Store) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Peers lists those that were enrolled, also those that were revoked, by name.
func (s *Store) Peers() []Peer {
	s.mu.Lock()
	defer s.mu.Unlock()
	peers := slices.Clone(s.state.Peers)
	slices.SortFunc(peers, func(a, b Peer) int { return strings.Compare(a.Name, b.Name) })
	return peers
}

// Peer finds a peer that may connect, by name.
func (s *Store) Peer(name string) (Peer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return valid(s.state.peer(name), name)
}

// ByKey finds a peer that may connect, by its key.
func (s *Store) ByKey(key Key) (Peer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.state.Peers, func(p Peer) bool { return p.Key == key })
	if i < 0 {
		return valid(nil, "the identity "+key.String())
	}
	return valid(&s.state.Peers[i], s.state.Peers[i].Name)
}

func valid(p *Peer, who string) (Peer, error) {
	switch {
	case p == nil:
		return Peer{}, fmt.Errorf("%s is %w here", who, ErrUnknown)
	case p.Revoked != nil:
		return Peer{}, fmt.Errorf("%s is %w since %s", who, ErrRevoked, p.Revoked.UTC().Format(time.RFC3339))
	}
	return *p, nil
}

// Check says whether the peer with a key may do one of those things, as things stand now.
func (s *Store) Check(key Key, rights Rights) error {
	p, err := s.ByKey(key)
	if err != nil {
		return err
	}
	return p.allowed(rights)
}

// ErrNoRight is wrapped for a peer that lacks a right.
var ErrNoRight = errors.New("no right to this")

func (p Peer) allowed(rights Rights) error {
	if p.Rights&rights == 0 {
		return fmt.Errorf("%s has %w: it has %s, and needs %s", p.Name, ErrNoRight, p.Rights, rights.or())
	}
	return nil
}

// Open says whether anybody could have business here: a peer, or the holder of a token.
func (s *Store) Open() bool {
	for _, p := range s.Peers() {
		if p.Revoked == nil {
			return true
		}
	}
	return len(s.Pending()) > 0
}

// NextExpiry is when the next token runs out that can still be used; zero if there is none.
func (s *Store) NextExpiry() time.Time {
	var next time.Time
	for _, t := range s.Pending() {
		if next.IsZero() || t.Expires.Before(next) {
			next = t.Expires
		}
	}
	return next
}

// Pending lists tokens that can still be used.
func (s *Store) Pending() []Issued {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock()
	return slices.DeleteFunc(slices.Clone(s.state.Tokens), func(t Issued) bool {
		return t.UsedBy != nil || now.After(t.Expires)
	})
}

// joinable says whether there is a token that has not run out; one that was used is still
// good for its holder, whose answer may have been lost.
func (s *Store) joinable() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.state.Tokens, func(t Issued) bool { return s.clock().Before(t.Expires) })
}

// Enrol makes a peer known, in place of whoever had its name or its key.
func (s *Store) Enrol(p Peer) error {
	return s.update(func(st *state) error { return st.enrol(p, s.clock()) })
}

// Revoke ends a peer's rights, and voids its tokens.
func (s *Store) Revoke(name string) error {
	return s.update(func(st *state) error {
		p := st.peer(name)
		had := st.dropTokens(func(t Issued) bool { return t.Name == name })
		if p == nil && !had {
			return fmt.Errorf("%s is %w here", name, ErrUnknown)
		}
		if p != nil && p.Revoked == nil {
			now := s.clock().Truncate(time.Second)
			p.Revoked = &now
		}
		return nil
	})
}

// Allow gives a peer other rights.
func (s *Store) Allow(name string, rights Rights) error {
	return s.update(func(st *state) error {
		if _, err := valid(st.peer(name), name); err != nil {
			return err
		}
		st.peer(name).Rights = rights
		return nil
	})
}

// update changes the state, on disk first.
func (s *Store) update(change func(*state) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lock == nil {
		return errors.New("trust was opened for reading only")
	}
	next := state{Name: s.state.Name, Peers: slices.Clone(s.state.Peers), Tokens: slices.Clone(s.state.Tokens)}
	if err := change(&next); err != nil {
		return err
	}
	if err := s.write(&next); err != nil {
		return err
	}
	s.state = next
	close(s.changed)
	s.changed = make(chan struct{})
	return nil
}

func (s *Store) write(st *state) error {
	b, err := json.MarshalIndent(st, "", "  ")
	if err != nil {
		return fmt.Errorf("keep trust: %w", err)
	}
	if err := writeFile(filepath.Join(s.dir, stateFile), append(b, '\n')); err != nil {
		return fmt.Errorf("keep trust: %w", err)
	}
	return nil
}

// writeFile replaces a file as a whole, for its owner's eyes only.
func writeFile(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails once it is renamed
	defer f.Close()
	if _, err := f.Write(b); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

func (st *state) peer(name string) *Peer {
	i := slices.IndexFunc(st.Peers, func(p Peer) bool { return p.Name == name })
	if i < 0 {
		return nil
	}
	return &st.Peers[i]
}

// dropTokens says whether it dropped any.
func (st *state) dropTokens(which func(Issued) bool) bool {
	n := len(st.Tokens)
	st.Tokens = slices.DeleteFunc(st.Tokens, which)
	return len(st.Tokens) < n
}

func (st *state) enrol(p Peer, now time.Time) error {
	if err := CheckName(p.Name); err != nil {
		return err
	}
	for _, a := range p.Addresses {
		if err := checkAddress(a); err != nil {
			return err
		}
	}
	st.Peers = slices.DeleteFunc(st.Peers, func(o Peer) bool { return o.Name == p.Name || o.Key == p.Key })
	p.Enrolled, p.Revoked = now.Truncate(time.Second), nil
	st.Peers = append(st.Peers, p)
	return nil
}

// namePattern is what nodes, operators and VMs may be called: what needs no quoting in a
// shell, in a table or in a file's name.
var namePattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$`)
})

// CheckName says whether a node, an operator or a VM may be called that.
func CheckName(name string) error {
	if !namePattern().MatchString(name) {
		return fmt.Errorf("%q cannot be a name: want letters, digits, '_', '.' and '-', at most 63, the first a letter or digit", name)
	}
	return nil
}

func checkAddress(address string) error {
	if _, _, err := net.SplitHostPort(address); err != nil || len(address) > 255 {
		return fmt.Errorf("address %.300q: want HOST:PORT", address)
	}
	return nil
}
