package trust

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/migrated/migrated/node/channel"
)

// In TLS 1.3 a client is through its handshake before the server has looked at its
// certificate (RFC 8446, 2). So the server says one byte when it has, and the client sends
// nothing before: it hears for certain if it is refused.
const welcome = 'w'

// Dial connects to whoever has a key, and to nobody else. The context is for getting there.
func (s *Store) Dial(ctx context.Context, address, proto string, key Key) (*channel.Conn, error) {
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	c := channel.NewClient(raw, s.clientConfig(proto, key))
	if err := enter(ctx, c, func() error {
		var b [1]byte
		if _, err := io.ReadFull(c, b[:]); err != nil {
			return err
		}
		if b[0] != welcome {
			return errors.New("the other side does not keep to the protocol")
		}
		return nil
	}); err != nil {
		raw.Close()
		return nil, explain(err)
	}
	return c, nil
}

// Handshake is the server's side of Dial. Whoever gets through it for anything but joining is
// enrolled.
func (s *Store) Handshake(ctx context.Context, raw net.Conn) (*channel.Conn, error) {
	c := channel.NewServer(raw, s.serverConfig())
	err := enter(ctx, c, func() error {
		_, err := c.Write([]byte{welcome})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("TLS handshake: %w", explain(err))
	}
	return c, nil
}

// enter shakes hands and calls then, both within the context.
func enter(ctx context.Context, c *channel.Conn, then func() error) error {
	if err := c.HandshakeContext(ctx); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) }) // long ago
	err := then()
	if !stop() {
		return context.Cause(ctx)
	}
	return err
}

// explain says what it means when the other side ends a connection by an alert (RFC 8446,
// section 6): which it does without giving strangers a reason.
func explain(err error) error {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" {
		return err
	}
	if op.Err.Error() == "tls: no application protocol" { // RFC 7301, 3.2
		return fmt.Errorf("the other side is of another version, or no node: %w", err)
	}
	return fmt.Errorf("the other side refuses this identity: it is not enrolled there, was revoked, has no right to this, or the clocks differ (%w)", err)
}
