// Package trust says who may do what. Each node, and each operator elsewhere, has an identity:
// a key of its own. Others know it by its public half, which they got when the two were
// enrolled with a token, together with what it may do. TLS 1.3 authenticates both sides by
// certificates that live for a day and that their owner's identity signs. docs/trust.md has
// the whole, and what it is meant to withstand.
package trust

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	// Lifetime of the certificates that connections are made with.
	Lifetime = 24 * time.Hour
	// skew is how far apart two machines' clocks may be.
	skew = time.Hour

	keyFile = "identity.key"
	keyType = "PRIVATE KEY" // PKCS #8 in PEM, RFC 7468, section 10
)

// An identity is a long-lived key and the short-lived certificates that it signs. The key
// itself never takes part in a handshake.
type identity struct {
	key  ed25519.PrivateKey
	cert *x509.Certificate // self-signed: carries the public key to the other side

	mu   sync.Mutex
	leaf *tls.Certificate // the newest
}

// loadIdentity reads the key of a directory.
func loadIdentity(dir string) (*identity, error) {
	path := filepath.Join(dir, keyFile)
	if err := checkPrivate(path); err != nil {
		return nil, err
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read identity: %w", err)
	}
	block, _ := pem.Decode(b)
	if block == nil || block.Type != keyType {
		return nil, fmt.Errorf("%s holds no private key", path)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read identity %s: %w", path, err)
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s holds a key of another kind than Ed25519", path)
	}
	return newIdentity(key)
}

// createIdentity makes a key and keeps it in a directory.
func createIdentity(dir string) (*identity, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make identity: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("make identity: %w", err)
	}
	if err := writeFile(filepath.Join(dir, keyFile), pem.EncodeToMemory(&pem.Block{Type: keyType, Bytes: der})); err != nil {
		return nil, fmt.Errorf("keep identity: %w", err)
	}
	return newIdentity(key)
}

// checkPrivate refuses a secret that others on this machine can read.
func checkPrivate(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("read identity: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s has mode %#o, so others may have read it: remove it, and enrol this machine anew", path, info.Mode().Perm())
	}
	return nil
}

// noExpiry is the end of a certificate that has none (RFC 5280, 4.1.2.5).
var noExpiry = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

func newIdentity(key ed25519.PrivateKey) (*identity, error) {
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "migrated identity"},
		NotBefore:             time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:              noExpiry,
		KeyUsage:              x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	cert, err := sign(template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make identity: %w", err)
	}
	return &identity{key: key, cert: cert}, nil
}

func sign(template, parent *x509.Certificate, public crypto.PublicKey, key ed25519.PrivateKey) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// public is what others know this identity by.
func (id *identity) public() Key { return Key(id.cert.PublicKey.(ed25519.PublicKey)) }

// certificate returns one that has most of its life before it.
func (id *identity) certificate(now time.Time) (*tls.Certificate, error) {
	id.mu.Lock()
	defer id.mu.Unlock()
	if id.leaf != nil && now.After(id.leaf.Leaf.NotBefore) && id.leaf.Leaf.NotAfter.Sub(now) > Lifetime/2 {
		return id.leaf, nil
	}
	leaf, err := id.issue(now)
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	id.leaf = leaf
	return leaf, nil
}

// issue makes a certificate with a key of its own, which is in memory only.
func (id *identity) issue(now time.Time) (*tls.Certificate, error) {
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	leaf, err := sign(&x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "migrated"},
		NotBefore:    now.Add(-skew),
		NotAfter:     now.Add(Lifetime),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}, id.cert, public, id.key)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{leaf.Raw, id.cert.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

var errChain = errors.New("want a certificate and the identity that signed it")

// checkChain returns whose certificates these are, and until when they hold. It says nothing
// about whether that identity is trusted.
func checkChain(chain []*x509.Certificate, now time.Time) (Key, time.Time, error) {
	if len(chain) != 2 {
		return Key{}, time.Time{}, fmt.Errorf("%w, not %d certificates", errChain, len(chain))
	}
	leaf, parent := chain[0], chain[1]
	public, ok := parent.PublicKey.(ed25519.PublicKey)
	if !ok || !parent.IsCA || leaf.IsCA {
		return Key{}, time.Time{}, fmt.Errorf("%w by Ed25519", errChain)
	}
	if leaf.NotAfter.Sub(leaf.NotBefore) > Lifetime+skew {
		return Key{}, time.Time{}, fmt.Errorf("a certificate that holds for %v is not taken: at most %v", leaf.NotAfter.Sub(leaf.NotBefore), Lifetime+skew)
	}
	if now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		return Key{}, time.Time{}, fmt.Errorf("its certificate holds from %s to %s, and here it is %s: set the clocks of both machines",
			leaf.NotBefore.UTC().Format(time.RFC3339), leaf.NotAfter.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	roots := x509.NewCertPool()
	roots.AddCert(parent)
	if _, err := leaf.Verify(x509.VerifyOptions{
		Roots: roots, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}); err != nil {
		return Key{}, time.Time{}, fmt.Errorf("check certificate: %w", err)
	}
	return Key(public), leaf.NotAfter, nil
}
