package channel

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"time"

	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// A Digest names a certificate: SHA-256 of its DER.
type Digest [sha256.Size]byte

// ParseDigest checks a digest that came over the wire.
func ParseDigest(b []byte) (Digest, error) {
	var d Digest
	if len(b) != len(d) {
		return d, fmt.Errorf("the digest of a certificate has %d bytes, not %d", len(d), len(b))
	}
	copy(d[:], b)
	return d, nil
}

// Keys are one side's for one move: a certificate that nobody has signed, for the other side
// knows its digest.
type Keys struct {
	certificate, key []byte // DER; PKCS #8
}

// noExpiry is for certificates that end with what they are for (RFC 5280, 4.1.2.5).
var noExpiry = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// NewKeys makes keys for a move.
func NewKeys() (*Keys, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key for a move: %w", err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: noExpiry}
	k := new(Keys)
	if k.certificate, err = x509.CreateCertificate(rand.Reader, template, template, public, private); err != nil {
		return nil, fmt.Errorf("make a certificate for a move: %w", err)
	}
	if k.key, err = x509.MarshalPKCS8PrivateKey(private); err != nil {
		return nil, fmt.Errorf("make a key for a move: %w", err)
	}
	return k, nil
}

// Digest is what the other side is to be told.
func (k *Keys) Digest() Digest { return sha256.Sum256(k.certificate) }

// With is what this side's process needs to talk to whoever has the other certificate.
func (k *Keys) With(peer Digest) *pb.MoveKeys {
	return &pb.MoveKeys{Certificate: k.certificate, Key: k.key, Peer: peer[:]}
}

// errOther is why a connection is ended whose other end has not the keys of the move.
var errOther = errors.New("the other end has another certificate than the other side of the move")

// Config is for connections between the two sides of a move: as a client's at its source, as a
// server's at its target.
func Config(m *pb.MoveKeys) (*tls.Config, error) {
	peer, err := ParseDigest(m.Peer)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(m.Key)
	if err != nil {
		return nil, fmt.Errorf("read a move's key: %w", err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("read a move's key: it cannot sign")
	}
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		Certificates:           []tls.Certificate{{Certificate: [][]byte{m.Certificate}, PrivateKey: signer}},
		ClientAuth:             tls.RequireAnyClientCert,
		SessionTicketsDisabled: true,
		// No authority vouches for a certificate that is used once: VerifyConnection compares all
		// of it, before anything of ours is sent.
		InsecureSkipVerify: true,
		VerifyConnection: func(cs tls.ConnectionState) error {
			if len(cs.PeerCertificates) != 1 || sha256.Sum256(cs.PeerCertificates[0].Raw) != peer {
				return errOther
			}
			return nil
		},
		DynamicRecordSizingDisabled: true,
	}, nil
}
