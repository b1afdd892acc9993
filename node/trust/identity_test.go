package trust

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// now is when the tests of certificates take place.
var now = time.Date(2030, 6, 1, 12, 0, 0, 0, time.UTC)

func testIdentity(t testing.TB) *identity {
	t.Helper()
	id, err := createIdentity(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func chainOf(t testing.TB, id *identity, at time.Time) []*x509.Certificate {
	t.Helper()
	c, err := id.issue(at)
	if err != nil {
		t.Fatal(err)
	}
	return []*x509.Certificate{c.Leaf, id.cert}
}

// TestIdentityStays: a directory has one identity, which nobody else can read.
func TestIdentityStays(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "trust")
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), ErrInUse.Error()) {
		t.Errorf("opened twice: %v", err)
	}
	key := s.Key()
	s.Close()
	if s, err = Open(dir); err != nil || s.Key() != key {
		t.Fatalf("opened again it has %v, want %v; %v", s.Key(), key, err)
	}
	s.Close()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) < 3 {
		t.Fatalf("files %v, %v", files, err)
	}
	for _, path := range append(files, dir) {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: mode %v, %v", path, info.Mode(), err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, keyFile), 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), "others may have read it") {
		t.Errorf("a key that others can read: %v", err)
	}
}

// TestCertificatesAreReplaced: a certificate is used for half its life, and its key is not the
// identity's.
func TestCertificatesAreReplaced(t *testing.T) {
	id := testIdentity(t)
	at := func(after time.Duration) *x509.Certificate {
		c, err := id.certificate(now.Add(after))
		if err != nil {
			t.Fatal(err)
		}
		return c.Leaf
	}
	first := at(0)
	if at(Lifetime/2-time.Minute) != first {
		t.Error("it is replaced before half its life is over")
	}
	second := at(Lifetime/2 + time.Minute)
	if second == first || second.SerialNumber.Cmp(first.SerialNumber) == 0 {
		t.Error("it is not replaced when half its life is over")
	}
	for _, c := range []*x509.Certificate{first, second} {
		if Key(c.PublicKey.(ed25519.PublicKey)) == id.public() {
			t.Error("a certificate is for the identity's own key")
		}
	}
	if at(-2*Lifetime) == second {
		t.Error("a certificate is used before it holds, by a clock that went back")
	}
}

// TestCheckChain: a chain is of whose identity signed it, for as long as it holds.
func TestCheckChain(t *testing.T) {
	id, other := testIdentity(t), testIdentity(t)
	good := chainOf(t, id, now)
	key, until, err := checkChain(good, now)
	if err != nil || key != id.public() || !until.Equal(now.Add(Lifetime)) {
		t.Fatalf("got %v until %v, %v", key, until, err)
	}
	template := func(change func(*x509.Certificate)) []*x509.Certificate {
		public, _, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		c := &x509.Certificate{
			SerialNumber: big.NewInt(7), NotBefore: now, NotAfter: now.Add(time.Hour),
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		}
		change(c)
		leaf, err := sign(c, id.cert, public, id.key)
		if err != nil {
			t.Fatal(err)
		}
		return []*x509.Certificate{leaf, id.cert}
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ecTemplate := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now, NotAfter: noExpiry, IsCA: true, BasicConstraintsValid: true}
	ecDER, err := x509.CreateCertificate(rand.Reader, ecTemplate, ecTemplate, ec.Public(), ec)
	if err != nil {
		t.Fatal(err)
	}
	ecCert, err := x509.ParseCertificate(ecDER)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		chain []*x509.Certificate
		at    time.Time
		want  string
	}{
		{"nothing", nil, now, "not 0 certificates"},
		{"the identity alone", good[1:], now, "not 1 certificates"},
		{"three", append(good[:2:2], good[1]), now, "not 3 certificates"},
		{"another's", []*x509.Certificate{good[0], other.cert}, now, "check certificate"},
		{"itself", []*x509.Certificate{id.cert, id.cert}, now, errChain.Error()},
		{"two of one", []*x509.Certificate{good[0], good[0]}, now, errChain.Error()},
		{"another kind of key", []*x509.Certificate{good[0], ecCert}, now, "Ed25519"},
		{"run out", good, now.Add(Lifetime + time.Minute), "set the clocks"},
		{"not yet", good, now.Add(-skew - time.Minute), "set the clocks"},
		{"long-lived", template(func(c *x509.Certificate) { c.NotAfter = now.Add(30 * 24 * time.Hour) }), now, "is not taken"},
		{"for something else", template(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} }), now, "check certificate"},
	} {
		if _, _, err := checkChain(test.chain, test.at); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}

// FuzzCertificates: a chain of a peer's bytes is an error or an identity, and never a crash.
func FuzzCertificates(f *testing.F) {
	chain := chainOf(f, testIdentity(f), now)
	f.Add(chain[0].Raw, chain[1].Raw)
	f.Add(chain[1].Raw, chain[0].Raw)
	f.Fuzz(func(t *testing.T, leaf, parent []byte) {
		var chain []*x509.Certificate
		for _, der := range [][]byte{leaf, parent} {
			c, err := x509.ParseCertificate(der)
			if err != nil {
				return
			}
			chain = append(chain, c)
		}
		key, until, err := checkChain(chain, now)
		if err == nil && (key == Key{} || until.Before(now) || until.After(now.Add(Lifetime+skew))) {
			t.Errorf("taken for %v until %v", key, until)
		}
	})
}
