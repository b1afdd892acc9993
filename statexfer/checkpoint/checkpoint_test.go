package checkpoint

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/migrated/migrated/statexfer"
	"github.com/migrated/migrated/statexfer/live"
	"github.com/migrated/migrated/testbed/loopback"
)

const pages = 300

// guest is memory that stands still.
type guest []byte

func (g guest) Memory() []byte                { return g }
func (g guest) LogDirty(bool) error           { return nil }
func (g guest) Dirty([]uint64) error          { return nil }
func (g guest) Throttle(float64)              {}
func (g guest) Quiesce(context.Context) error { return nil }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// save writes a checkpoint of memory, on top of parent where that is named.
func save(t testing.TB, path string, mem []byte, parent string, meta string) {
	t.Helper()
	h := &Header{Pages: pages}
	var base *statexfer.Offer
	if parent != "" {
		p, err := Open(parent)
		check(t, err)
		base, err = p.Offer()
		check(t, err)
		h.Parent, h.ParentDigest = filepath.Base(parent), p.Digest
		check(t, p.Close())
	}
	w, err := Create(path, h)
	check(t, err)
	a, b := loopback.Pair(t)
	sent := make(chan error, 1)
	go func() {
		_, _, err := live.Send(context.Background(), a, guest(mem), live.Plan{Mode: live.PreCopy, Hashes: true}, nil)
		sent <- err
	}()
	check(t, w.Take(context.Background(), b, base))
	check(t, <-sent)
	check(t, w.Commit([]byte(meta)))
}

// restore returns the memory that a checkpoint and its parents make.
func restore(t testing.TB, path string) ([]byte, error) {
	t.Helper()
	c, err := OpenChain(path)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	a, b := loopback.Pair(t)
	mem := make([]byte, pages*statexfer.PageSize)
	received := make(chan error, 1)
	go func() {
		var offer *statexfer.Offer
		var digest [32]byte
		for range c {
			arrival, err := live.Receive(context.Background(), b, mem, live.Options{Offer: offer})
			if err != nil {
				b.Close()
				received <- err
				return
			}
			offer, digest = statexfer.OfferOf(arrival.Leaves), arrival.Digest
		}
		if digest != c.Last().Digest {
			received <- errors.New("another digest")
			return
		}
		received <- nil
	}()
	err = c.Feed(context.Background(), a)
	if err != nil {
		a.Close()
	}
	return mem, errors.Join(err, <-received)
}

func noise(seed uint64) []byte {
	mem := make([]byte, pages*statexfer.PageSize)
	rng := rand.New(rand.NewPCG(seed, 0))
	for p := range pages {
		if p%3 == 0 {
			continue
		}
		for at := 0; at < statexfer.PageSize; at += 8 {
			binary.LittleEndian.PutUint64(mem[p*statexfer.PageSize+at:], rng.Uint64())
		}
	}
	return mem
}

func TestChain(t *testing.T) {
	dir := t.TempDir()
	mem := noise(1)
	names := []string{filepath.Join(dir, "a"), filepath.Join(dir, "b"), filepath.Join(dir, "c")}
	var states [][]byte
	parent := ""
	for i, name := range names {
		save(t, name, mem, parent, "state "+name)
		states = append(states, bytes.Clone(mem))
		parent = name
		mem[(i+1)*statexfer.PageSize+5]++                          // one changes,
		clear(mem[(i+4)*statexfer.PageSize:][:statexfer.PageSize]) // one becomes zero
	}
	for i, name := range names {
		got, err := restore(t, name)
		check(t, err)
		if !bytes.Equal(got, states[i]) {
			t.Errorf("%s restores other memory", name)
		}
		f, err := Open(name)
		check(t, err)
		if string(f.Meta) != "state "+name {
			t.Errorf("account %q", f.Meta)
		}
		check(t, f.Close())
	}
	first, err := os.Stat(names[0])
	check(t, err)
	second, err := os.Stat(names[1])
	check(t, err)
	if second.Size() > first.Size()/20 {
		t.Errorf("%d bytes for two pages more than a checkpoint of %d", second.Size(), first.Size())
	}

	// A parent that is another's, or gone.
	save(t, names[1], noise(7), "", "")
	if _, err := restore(t, names[2]); err == nil || !strings.Contains(err.Error(), names[1]+" is not what "+names[2]+" was built on") {
		t.Errorf("another parent: %v", err)
	}
	check(t, os.Remove(names[1]))
	if _, err := restore(t, names[2]); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), names[2]+" builds on it") {
		t.Errorf("no parent: %v", err)
	}
}

// A file that another one builds on is known by whatever name, so that it is not written over.
func TestHas(t *testing.T) {
	dir := t.TempDir()
	names := []string{filepath.Join(dir, "a"), filepath.Join(dir, "b")}
	save(t, names[0], noise(1), "", "")
	save(t, names[1], noise(2), names[0], "")
	link := filepath.Join(dir, "link")
	check(t, os.Symlink("a", link))
	c, err := OpenChain(names[1])
	check(t, err)
	defer c.Close()
	for name, want := range map[string]bool{names[0]: true, names[1]: true, link: true, filepath.Join(dir, "new"): false} {
		if got := c.Has(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Something that is no file is neither read, for ever, nor replaced.
func TestNoFile(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	check(t, unix.Mkfifo(fifo, 0o600))
	for _, path := range []string{fifo, filepath.Dir(fifo)} {
		if _, err := Open(path); !errors.Is(err, ErrFormat) {
			t.Errorf("read %s: %v", path, err)
		}
		if _, err := Create(path, &Header{Pages: pages}); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("write %s: %v", path, err)
		}
	}
}

// While a file is written it has no name, so that nothing is left of it when its writer is killed.
func TestNoNameBeforeItsTime(t *testing.T) {
	dir := t.TempDir()
	for _, there := range []bool{false, true} {
		path := filepath.Join(dir, "a")
		w, err := Create(path, &Header{Pages: pages})
		check(t, err)
		files, err := os.ReadDir(dir)
		check(t, err)
		if w.temporary != "" {
			t.Skip("the file system of the temporary directory makes no files without a name")
		}
		if len(files) != 0 && !there || len(files) > 1 {
			t.Errorf("a file was begun: %v", files)
		}
		check(t, w.Commit([]byte("meta")))
		if files, err := os.ReadDir(dir); err != nil || len(files) != 1 || files[0].Name() != "a" {
			t.Errorf("a file was ended: %v, %v", files, err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
			t.Errorf("%v, %v", info, err)
		}
	}
}

func TestAbortLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	w, err := Create(filepath.Join(dir, "a"), &Header{Pages: pages})
	check(t, err)
	check(t, w.Abort())
	w, err = Create(filepath.Join(dir, "a"), &Header{Pages: pages})
	check(t, err)
	if err := w.Commit(make([]byte, maxMeta+1)); err == nil {
		t.Error("an account that is too long was written")
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 0 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

// A file that is cut short or altered anywhere is not restored from.
func TestEveryFaultIsFound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	save(t, path, noise(3), "", "the VM")
	good, err := os.ReadFile(path)
	check(t, err)
	step := max(1, len(good)/150)
	for at := 0; at < len(good); at += step {
		bad := bytes.Clone(good)
		bad[at] ^= 4
		check(t, os.WriteFile(path, bad, 0o600))
		switch _, err := restore(t, path); {
		case err == nil && !inLeaves(t, path, at):
			t.Errorf("byte %d of %d altered: no error", at, len(good))
		case err != nil && !strings.Contains(err.Error(), path):
			t.Errorf("byte %d of %d altered: %v", at, len(good), err)
		}
		check(t, os.WriteFile(path, good[:at], 0o600))
		if _, err := Open(path); !errors.Is(err, ErrFormat) {
			t.Errorf("%d of %d bytes: %v", at, len(good), err)
		}
	}
}

// inLeaves says whether a byte belongs to the hashes, which only the next checkpoint reads, and
// that reading them finds the fault.
func inLeaves(t *testing.T, path string, at int) bool {
	f, err := Open(path)
	check(t, err)
	defer f.Close()
	_, err = f.Offer()
	if err != nil && (!errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), path)) {
		t.Errorf("byte %d of the hashes altered: %v", at, err)
	}
	return err != nil && int64(at) >= f.leaves && int64(at) < f.meta
}

func FuzzOpen(f *testing.F) {
	dir := f.TempDir()
	path := filepath.Join(dir, "a")
	mem := make([]byte, pages*statexfer.PageSize)
	mem[7] = 7
	save(f, path, mem, "", "the VM")
	good, err := os.ReadFile(path)
	check(f, err)
	for _, parent := range []string{"", "b", "../b"} {
		f.Add(good[headerLen:], parent)
	}
	f.Fuzz(func(t *testing.T, data []byte, parent string) {
		// A header and a trailer that are right, so that what is behind them is reached.
		data = append(appendHeader(nil, &Header{Pages: pages, Parent: parent[:min(len(parent), maxName)]}), data...)
		path := filepath.Join(t.TempDir(), "a")
		check(t, os.WriteFile(path, data, 0o600))
		file, err := Open(path)
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Fatal(err)
			}
			return
		}
		defer file.Close()
		if strings.Contains(file.Parent, "/") {
			t.Fatalf("parent %q", file.Parent)
		}
		file.Offer()
		restore(t, path)
	})
}
