package trust

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// A Token lets its holder be enrolled, once. It is a secret: whoever has it can be who it was
// meant for.
type Token struct {
	Issuer    string   // name of the node that gave it
	Key       Key      // that node's: the holder speaks to no other
	Addresses []string // where that node listens, HOST:PORT, the likeliest first
	Name      string   // what the holder will be called there
	Expires   time.Time
	secret    [16]byte
}

// The text of a token is base64url behind a prefix that secret scanners can look for: a
// version, the secret, the issuer's key, seconds since 1970 in four bytes, the two names and
// the number of addresses and each of those, every string behind its length in one byte, and
// a checksum against typing errors.
const (
	tokenPrefix  = "migrated-token-"
	tokenVersion = 1
	checksumSize = 4

	maxAddresses = 8
	maxTokenText = 8 << 10
)

var errToken = errors.New("not a token of `migratectl trust token`, or not all of it")

// String names the token where it is logged: its text is not for that.
func (t Token) String() string { return "token " + t.id() + " for " + t.Name }

// Text is the token as it is handed to its holder.
func (t *Token) Text() string {
	b := []byte{tokenVersion}
	b = append(b, t.secret[:]...)
	b = append(b, t.Key[:]...)
	e := uint32(t.Expires.Unix())
	b = append(b, byte(e>>24), byte(e>>16), byte(e>>8), byte(e))
	for _, s := range []string{t.Issuer, t.Name} {
		b = append(append(b, byte(len(s))), s...)
	}
	b = append(b, byte(len(t.Addresses)))
	for _, s := range t.Addresses {
		b = append(append(b, byte(len(s))), s...)
	}
	sum := sha256.Sum256(b)
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(append(b, sum[:checksumSize]...))
}

// ParseToken reads the text of a token. Its errors do not repeat any of the text.
func ParseToken(text string) (*Token, error) {
	text = strings.TrimSpace(text)
	encoded, ok := strings.CutPrefix(text, tokenPrefix)
	if !ok || len(text) > maxTokenText {
		return nil, errToken
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil || len(b) < checksumSize+1 {
		return nil, errToken
	}
	b, sum := b[:len(b)-checksumSize], b[len(b)-checksumSize:]
	if want := sha256.Sum256(b); string(want[:checksumSize]) != string(sum) {
		return nil, errToken
	}
	if b[0] != tokenVersion {
		return nil, fmt.Errorf("the token is of version %d, and this program knows %d: use one version on both sides", b[0], tokenVersion)
	}
	r := tokenReader{rest: b[1:]}
	t := new(Token)
	copy(t.secret[:], r.bytes(len(t.secret)))
	copy(t.Key[:], r.bytes(len(t.Key)))
	var expires uint32
	for _, v := range r.bytes(4) {
		expires = expires<<8 | uint32(v)
	}
	t.Expires = time.Unix(int64(expires), 0)
	t.Issuer, t.Name = r.text(), r.text()
	n := r.byte()
	if n > maxAddresses {
		return nil, errToken
	}
	for range n {
		t.Addresses = append(t.Addresses, r.text())
	}
	if r.short || len(r.rest) > 0 || CheckName(t.Issuer) != nil || CheckName(t.Name) != nil {
		return nil, errToken
	}
	return t, nil
}

// A tokenReader takes fields off a token; short says that there was too little.
type tokenReader struct {
	rest  []byte
	short bool
}

func (r *tokenReader) bytes(n int) []byte {
	if n > len(r.rest) {
		r.short, r.rest = true, nil
		return make([]byte, n)
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *tokenReader) byte() byte   { return r.bytes(1)[0] }
func (r *tokenReader) text() string { return string(r.bytes(int(r.byte()))) }

// LogValue is String: a logger would write all that is exported, or more.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// GoString is String, for the sake of %#v.
func (t Token) GoString() string { return t.String() }

// proofKey is what the holder proves the token with. The issuer keeps the public half alone,
// so that what lies on its disk enrols nobody.
func (t *Token) proofKey() ed25519.PrivateKey {
	seed := sha256.Sum256(append([]byte("migrated join token v1: proof\x00"), t.secret[:]...))
	return ed25519.NewKeyFromSeed(seed[:])
}

// id finds the token at its issuer, and says nothing about the secret.
func (t Token) id() string {
	sum := sha256.Sum256(append([]byte("migrated join token v1: name\x00"), t.secret[:]...))
	return hex.EncodeToString(sum[:8])
}

// An Issued token is what its issuer remembers of it.
type Issued struct {
	ID      string    `json:"id"`
	Proof   Key       `json:"proof"`
	Name    string    `json:"name"`
	Rights  Rights    `json:"rights"`
	Expires time.Time `json:"expires"`
	UsedBy  *Key      `json:"used_by,omitempty"`
}

// Bounds of a token's life.
const (
	DefaultTTL = time.Hour
	maxTTL     = 7 * 24 * time.Hour
)

// Issue makes a token for a peer that is not enrolled yet. A token that the same name had and
// did not use is void.
func (s *Store) Issue(issuer, name string, rights Rights, ttl time.Duration, addresses []string) (*Token, error) {
	switch {
	case ttl < time.Second || ttl > maxTTL:
		return nil, fmt.Errorf("a token lives from a second to %v, not %v", maxTTL, ttl)
	case name == issuer:
		return nil, fmt.Errorf("%s is this node itself: a token is for another", name)
	case len(addresses) == 0 || len(addresses) > maxAddresses:
		return nil, fmt.Errorf("a token has from 1 to %d addresses, not %d", maxAddresses, len(addresses))
	}
	if err := errors.Join(CheckName(issuer), CheckName(name)); err != nil {
		return nil, err
	}
	for _, a := range addresses {
		if err := checkAddress(a); err != nil {
			return nil, err
		}
	}
	t := &Token{
		Issuer: issuer, Key: s.Key(), Addresses: addresses, Name: name,
		Expires: s.clock().Add(ttl).Truncate(time.Second),
	}
	rand.Read(t.secret[:]) // never fails
	return t, s.update(func(st *state) error {
		if p := st.peer(name); p != nil && p.Revoked == nil {
			return fmt.Errorf("%s is enrolled already: `migratectl trust revoke %s` first", name, name)
		}
		st.dropTokens(func(other Issued) bool { return other.Name == name || s.clock().After(other.Expires) })
		st.Tokens = append(st.Tokens, Issued{
			ID: t.id(), Proof: Key(t.proofKey().Public().(ed25519.PublicKey)),
			Name: name, Rights: rights, Expires: t.Expires,
		})
		return nil
	})
}
