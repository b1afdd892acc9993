package trust

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// A Renewal is a new certificate for a connection that is up: the certificate, and a
// signature by its key over the connection's exporter value (RFC 8446, 7.5), which shows that
// the sender has that key, as a handshake would. On the wire it is the certificate behind its
// length in two bytes, little-endian, and the signature.
type Renewal struct {
	leaf      []byte // DER
	signature []byte
}

const (
	renewalExporter = "EXPORTER-migrated-renewal"
	maxCertificate  = 4 << 10 // bytes
)

// Leaf is the certificate.
func (r *Renewal) Leaf() []byte { return r.leaf }

// Renew makes a renewal of this side's certificate.
func (s *Store) Renew(cs tls.ConnectionState) (*Renewal, error) {
	cert, err := s.id.certificate(s.clock())
	if err != nil {
		return nil, err
	}
	what, err := renewalText(cs, cert.Certificate[0])
	if err != nil {
		return nil, err
	}
	return &Renewal{cert.Certificate[0], ed25519.Sign(cert.PrivateKey.(ed25519.PrivateKey), what)}, nil
}

// renewalText is what the new key signs: this connection and the certificate, whose identity
// says which side sent it.
func renewalText(cs tls.ConnectionState, leaf []byte) ([]byte, error) {
	value, err := cs.ExportKeyingMaterial(renewalExporter, nil, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("bind the certificate to the connection: %w", err)
	}
	return append(append([]byte("migrated renewal v1\x00"), value...), leaf...), nil
}

// Send sends a renewal.
func (r *Renewal) Send(w io.Writer) error {
	b := binary.LittleEndian.AppendUint16(nil, uint16(len(r.leaf)))
	b = append(b, r.leaf...)
	_, err := w.Write(append(b, r.signature...))
	return err
}

// ReadRenewal reads what Send wrote.
func ReadRenewal(r io.Reader) (*Renewal, error) {
	var length [2]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	n := int(binary.LittleEndian.Uint16(length[:]))
	if n > maxCertificate {
		return nil, fmt.Errorf("read certificate: %d bytes are more than %d", n, maxCertificate)
	}
	b := make([]byte, n+ed25519.SignatureSize)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	return &Renewal{b[:n], b[n:]}, nil
}

// CheckRenewal says until when a connection's other side, whose identity is key, has shown
// that it is who it is.
func (s *Store) CheckRenewal(cs tls.ConnectionState, key Key, r *Renewal) (time.Time, error) {
	leaf, err := x509.ParseCertificate(r.leaf)
	if err != nil {
		return time.Time{}, fmt.Errorf("check renewal: %w", err)
	}
	if len(cs.PeerCertificates) != 2 {
		return time.Time{}, fmt.Errorf("check renewal: %w", errChain)
	}
	signer, until, err := checkChain([]*x509.Certificate{leaf, cs.PeerCertificates[1]}, s.clock())
	if err != nil {
		return time.Time{}, fmt.Errorf("check renewal: %w", err)
	}
	public, ok := leaf.PublicKey.(ed25519.PublicKey)
	what, err := renewalText(cs, r.leaf)
	if err != nil {
		return time.Time{}, err
	}
	if signer != key || !ok || !ed25519.Verify(public, what, r.signature) {
		return time.Time{}, errors.New("check renewal: it is not signed for this connection")
	}
	return until, s.Check(key, Node)
}
