package channel

import (
	"errors"
	"io"
	"net"
	"testing"

	pb "github.com/migrated/migrated/proto/migrated/v1"
)

func keys(t *testing.T) *Keys {
	t.Helper()
	k, err := NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// talk has a source and a target send each other a word.
func talk(t *testing.T, source, target *pb.MoveKeys) (atSource, atTarget error) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	from, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	ours, err := Config(source)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := Config(target)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		defer to.Close()
		var b [1]byte
		c := NewServer(to, theirs)
		_, err := io.ReadFull(c, b[:])
		if err == nil {
			_, err = c.Write(b[:])
		}
		done <- err
	}()
	c := NewClient(from, ours)
	var b [1]byte
	if _, atSource = c.Write([]byte{1}); atSource == nil {
		_, atSource = io.ReadFull(c, b[:])
	}
	from.Close()
	return atSource, <-done
}

// TestKeys: the two sides of a move talk to each other, and to nobody else.
func TestKeys(t *testing.T) {
	s, d, other := keys(t), keys(t), keys(t)
	if a, b := talk(t, s.With(d.Digest()), d.With(s.Digest())); a != nil || b != nil {
		t.Errorf("%v, %v", a, b)
	}
	if a, b := talk(t, s.With(d.Digest()), other.With(s.Digest())); !errors.Is(a, errOther) || b == nil {
		t.Errorf("another target: %v, %v", a, b)
	}
	if a, b := talk(t, other.With(d.Digest()), d.With(s.Digest())); a == nil || !errors.Is(b, errOther) {
		t.Errorf("another source: %v, %v", a, b)
	}
	// Who has seen a certificate go by has not its key.
	thief := other.With(d.Digest())
	thief.Certificate = s.certificate
	if a, b := talk(t, thief, d.With(s.Digest())); a == nil || b == nil {
		t.Errorf("a source with another's certificate: %v, %v", a, b)
	}
}

// TestBadKeys: what a daemon says is checked.
func TestBadKeys(t *testing.T) {
	k := keys(t)
	for name, bad := range map[string]*pb.MoveKeys{
		"none":    {},
		"no peer": {Certificate: k.certificate, Key: k.key},
		"no key":  {Certificate: k.certificate, Peer: make([]byte, 32)},
	} {
		if _, err := Config(bad); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
