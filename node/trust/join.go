package trust

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/migrated/migrated/node/channel"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// Joining is one message each way over a TLS connection on which the holder of the token has
// seen that the issuer has the key that the token names, and the issuer that the holder has
// the key which is to be enrolled. The holder proves the token by signing that connection's
// exporter value (RFC 8446, 7.5): the proof is worth nothing anywhere else.

const (
	joinTimeout = 15 * time.Second
	maxJoin     = 4 << 10 // bytes of a message
	exporter    = "EXPORTER-migrated-join"
)

// ErrRefused is wrapped when the issuer does not enrol.
var ErrRefused = errors.New("refused by the other side")

// Join enrols this identity with the token's issuer, and the issuer here. name is this
// node's own; an operator has none and gets the token's. addresses are tried in place of the
// token's where they are given.
func (s *Store) Join(ctx context.Context, t *Token, name string, allow Rights, addresses []string) (Peer, error) {
	switch {
	case s.clock().After(t.Expires):
		return Peer{}, fmt.Errorf("the token ran out at %s, and here it is %s: ask for another, or set the clock",
			t.Expires.UTC().Format(time.RFC3339), s.clock().UTC().Format(time.RFC3339))
	case name != "" && name != t.Name:
		return Peer{}, fmt.Errorf("the token is for %s, and this node is called %s: ask for one of that name", t.Name, name)
	case t.Key == s.Key():
		return Peer{}, errors.New("the token is this node's own: use it on the machine that is to be enrolled")
	}
	if len(addresses) == 0 {
		addresses = t.Addresses
	}
	if len(addresses) == 0 {
		return Peer{}, errors.New("the token names no address: say where its issuer listens")
	}
	var errs []error
	for _, address := range addresses {
		if err := s.joinAt(ctx, t, address); err != nil {
			errs = append(errs, fmt.Errorf("join %s at %s: %w", t.Issuer, address, err))
			if errors.Is(err, ErrRefused) {
				break // it is the issuer; elsewhere it would say the same
			}
			continue
		}
		// What answered is dialled first from now on.
		order := append([]string{address}, slices.DeleteFunc(slices.Clone(addresses), func(a string) bool { return a == address })...)
		p := Peer{Name: t.Issuer, Key: t.Key, Rights: allow, Addresses: order}
		return p, s.update(func(st *state) error {
			if name == "" {
				st.Name = t.Name
			}
			return st.enrol(p, s.clock())
		})
	}
	return Peer{}, errors.Join(errs...)
}

func (s *Store) joinAt(ctx context.Context, t *Token, address string) error {
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	c, err := s.Dial(ctx, address, ProtoJoin, t.Key)
	if err != nil {
		return err
	}
	defer c.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := c.SetDeadline(deadline); err != nil {
			return err
		}
	}
	what, err := proofText(c, s.Key(), t.Name)
	if err != nil {
		return err
	}
	if err := writeMessage(c, &pb.JoinRequest{
		TokenId: t.id(), Name: t.Name, Proof: ed25519.Sign(t.proofKey(), what),
	}); err != nil {
		return fmt.Errorf("show the token: %w", err)
	}
	var answer pb.JoinResponse
	if err := readMessage(c, &answer); err != nil {
		return fmt.Errorf("%w: its token is used, void or has run out there (%w)", ErrRefused, err)
	}
	if answer.Refused != "" {
		return fmt.Errorf("%w: %s", ErrRefused, answer.Refused)
	}
	return nil
}

// Accept is the issuer's side of joining, on a connection whose handshake is over. Who does
// not prove a token gets no answer.
func (s *Store) Accept(c *channel.Conn) (Peer, error) {
	if err := c.SetDeadline(time.Now().Add(joinTimeout)); err != nil {
		return Peer{}, err
	}
	key, _, err := checkChain(c.ConnectionState().PeerCertificates, s.clock())
	if err != nil {
		return Peer{}, err
	}
	var req pb.JoinRequest
	if err := readMessage(c, &req); err != nil {
		return Peer{}, err
	}
	what, err := proofText(c, key, req.Name)
	if err != nil {
		return Peer{}, err
	}
	p, err := s.redeem(&req, key, what)
	var refusal *refusal
	switch {
	case errors.As(err, &refusal):
		return Peer{}, errors.Join(err, writeMessage(c, &pb.JoinResponse{Refused: refusal.Error()}))
	case err != nil:
		return Peer{}, err
	}
	return p, writeMessage(c, &pb.JoinResponse{})
}

// A refusal is told to the other side, which has proved a token.
type refusal struct{ why string }

func (r *refusal) Error() string { return r.why }

// redeem turns a token into a peer, once. The same holder may ask again, for an answer that
// was lost.
func (s *Store) redeem(req *pb.JoinRequest, key Key, what []byte) (Peer, error) {
	var p Peer
	err := s.update(func(st *state) error {
		i := slices.IndexFunc(st.Tokens, func(t Issued) bool { return t.ID == req.TokenId })
		if i < 0 {
			return errors.New("join: unknown token")
		}
		t := &st.Tokens[i]
		if !ed25519.Verify(t.Proof[:], what, req.Proof) {
			return errors.New("join: the proof of the token is wrong")
		}
		switch {
		case t.Name != req.Name:
			return &refusal{fmt.Sprintf("the token is for %s", t.Name)}
		case s.clock().After(t.Expires):
			return &refusal{fmt.Sprintf("the token ran out at %s", t.Expires.UTC().Format(time.RFC3339))}
		case t.UsedBy != nil && *t.UsedBy != key:
			return &refusal{fmt.Sprintf("the token was used by %s: if that was not you, revoke %s there", t.UsedBy, t.Name)}
		case key == s.Key():
			return &refusal{"a node cannot join itself"}
		}
		t.UsedBy = &key
		p = Peer{Name: t.Name, Key: key, Rights: t.Rights}
		return st.enrol(p, s.clock())
	})
	return p, err
}

// proofText is what the token's key signs: this connection, who joins on it, and as what.
func proofText(c *channel.Conn, joiner Key, name string) ([]byte, error) {
	cs := c.ConnectionState()
	value, err := cs.ExportKeyingMaterial(exporter, nil, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("bind the token to the connection: %w", err)
	}
	text := append([]byte("migrated join v1\x00"), value...)
	text = append(text, joiner[:]...)
	return append(text, name...), nil
}

// writeMessage sends a message behind its length in two bytes, little-endian.
func writeMessage(w io.Writer, m proto.Message) error {
	b, err := proto.Marshal(m)
	if err != nil {
		return err
	}
	if len(b) > maxJoin {
		return fmt.Errorf("a message of %d bytes is more than %d", len(b), maxJoin)
	}
	_, err = w.Write(append(binary.LittleEndian.AppendUint16(nil, uint16(len(b))), b...))
	return err
}

func readMessage(r io.Reader, m proto.Message) error {
	var length [2]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return fmt.Errorf("read message: %w", err)
	}
	n := int(binary.LittleEndian.Uint16(length[:]))
	if n > maxJoin {
		return fmt.Errorf("read message: %d bytes are more than %d", n, maxJoin)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return fmt.Errorf("read message: %w", err)
	}
	if err := proto.Unmarshal(b, m); err != nil {
		return fmt.Errorf("read message: %w", err)
	}
	return nil
}
