package trust

import (
	"crypto/tls"
	"errors"
	"fmt"
	"time"
)

// What a connection is for: its ALPN protocol (RFC 7301). The number rises with every
// change after which the two sides would misunderstand each other.
const (
	ProtoLink     = "migrated-link/2"     // between nodes
	ProtoOperator = "migrated-operator/1" // gRPC of migratectl
	ProtoJoin     = "migrated-join/1"     // enrolment
)

var errNoJoin = errors.New("no token is outstanding")

// serverConfig is for a listener. Whoever gets through a handshake for anything but joining
// is enrolled.
func (s *Store) serverConfig() *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		NextProtos:             []string{ProtoLink, ProtoOperator, ProtoJoin},
		ClientAuth:             tls.RequireAnyClientCert, // VerifyConnection says which
		SessionTicketsDisabled: true,                     // who was revoked must not resume
		GetCertificate:         func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return s.id.certificate(s.clock()) },
		VerifyConnection:       s.checkClient,

		DynamicRecordSizingDisabled: true,
	}
}

func (s *Store) checkClient(cs tls.ConnectionState) error {
	switch cs.NegotiatedProtocol {
	case "": // crypto/tls lets a client pass that names none
		return errors.New("it does not say what it wants")
	case ProtoJoin:
		if !s.joinable() {
			return errNoJoin
		}
		_, _, err := checkChain(cs.PeerCertificates, s.clock())
		return err
	}
	_, _, err := s.Authenticate(cs)
	return err
}

// clientConfig is for dialling: the other side must have this very key.
func (s *Store) clientConfig(proto string, expect Key) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		NextProtos: []string{proto},
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return s.id.certificate(s.clock())
		},
		// No authority vouches for names here: VerifyConnection compares the key, before
		// anything of ours is sent.
		InsecureSkipVerify: true,
		VerifyConnection: func(cs tls.ConnectionState) error {
			if cs.NegotiatedProtocol != proto {
				return fmt.Errorf("the other side does not speak %s", proto)
			}
			key, _, err := checkChain(cs.PeerCertificates, s.clock())
			if err != nil {
				return err
			}
			if key != expect {
				return fmt.Errorf("another identity answers there: %s instead of %s", key, expect)
			}
			return nil
		},
		DynamicRecordSizingDisabled: true,
	}
}

// Authenticate says who is at the other end, and until when its certificate holds. It is an
// error if that peer may not connect, or not for this.
func (s *Store) Authenticate(cs tls.ConnectionState) (Peer, time.Time, error) {
	key, until, err := checkChain(cs.PeerCertificates, s.clock())
	if err != nil {
		return Peer{}, time.Time{}, err
	}
	p, err := s.ByKey(key)
	if err != nil {
		return Peer{}, time.Time{}, err
	}
	needs := Node
	if cs.NegotiatedProtocol == ProtoOperator {
		needs = Operate
	}
	if err := p.allowed(needs); err != nil {
		return Peer{}, time.Time{}, err
	}
	return p, until, nil
}
