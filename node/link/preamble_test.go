package link

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// FuzzPreamble: what begins a data connection is an error, or names one.
func FuzzPreamble(f *testing.F) {
	var b bytes.Buffer
	if err := writePreamble(&b, dataName{Token{1, 2, 3}, 7}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(b.Bytes()[:5])
	f.Add([]byte("\x16\x03\x01"))
	f.Fuzz(func(t *testing.T, p []byte) {
		r := bytes.NewReader(p)
		n, err := readPreamble(r)
		if err != nil {
			return
		}
		if r.Len() != len(p)-preambleLen {
			t.Errorf("%d bytes were read", len(p)-r.Len())
		}
		var again bytes.Buffer
		if err := writePreamble(&again, n); err != nil || !bytes.Equal(again.Bytes(), p[:preambleLen]) {
			t.Errorf("%x became %x, %v", p[:preambleLen], again.Bytes(), err)
		}
	})
}

// closed says whether the other side ends a connection without a word.
func closed(t *testing.T, c net.Conn) bool {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	n, err := io.Copy(io.Discard, c)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return false
	}
	return n == 0
}

func dialHub(t *testing.T, h *testHub) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", h.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// TestStrangersData: a data connection that no move waits for is closed at once, one that says
// nothing more in time, and so many of them are let in at a time.
func TestStrangersData(t *testing.T) {
	a := newHub(t, "a", "1")
	b := newHub(t, "b", "2", a)
	waitLink(t, a, "b")
	for _, words := range [][]byte{
		append([]byte("\xdamig"), make([]byte, 17)...),
		append([]byte("\xdamig"), bytes.Repeat([]byte{255}, 17)...),
		append([]byte("\xdamoo"), make([]byte, 17)...),
		[]byte("\xdamig and no more"),
		[]byte("\xda"),
	} {
		c := dialHub(t, a)
		if _, err := c.Write(words); err != nil {
			t.Fatal(err)
		}
		if !closed(t, c) {
			t.Errorf("%q: the connection stays", words)
		}
	}
	var silent []net.Conn
	for range maxStrangersFrom {
		c := dialHub(t, a)
		if _, err := c.Write([]byte("\xdamig")); err != nil {
			t.Fatal(err)
		}
		silent = append(silent, c)
	}
	for {
		a.door.mu.Lock()
		n := a.door.total
		a.door.mu.Unlock()
		if n >= maxStrangersFrom {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if c := dialHub(t, a); !closed(t, c) {
		t.Error("one too many stays")
	}
	for _, c := range silent {
		if !closed(t, c) {
			t.Error("one that says nothing stays")
		}
	}
	waitLink(t, b, "a")
}

// TestAsksForOwn: a peer can ask for connections of moves that it sends here, and for no others.
func TestAsksForOwn(t *testing.T) {
	a := newHub(t, "a", "1")
	b := newHub(t, "b", "2", a)
	l := waitLink(t, a, "b")
	waitLink(t, b, "a")
	other, err := b.Expect(Token{2}, "c")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Cancel()
	for _, token := range []Token{{1}, {2}} {
		if d, err := l.OpenData(t.Context(), token, 0); err == nil {
			d.Close()
			t.Errorf("token %v: a connection was opened", token)
		}
	}
	if len(a.data.asked) != 0 {
		t.Errorf("%d are still waited for", len(a.data.asked))
	}
}

// TestSocket: a connection that was given away is read and written by who got it, and ends there
// with the link, or with the connection here.
func TestSocket(t *testing.T) {
	a := newHub(t, "a", "1")
	b := newHub(t, "b", "2", a)
	l := waitLink(t, b, "a")
	e, err := a.Expect(Token{1}, "b")
	if err != nil {
		t.Fatal(err)
	}
	defer e.Cancel()
	for number, end := range []func(d *Data){func(d *Data) { d.Close() }, func(*Data) { l.Close() }} {
		out, err := l.OpenData(t.Context(), Token{1}, uint8(number))
		if err != nil {
			t.Fatal(err)
		}
		f, err := out.Socket()
		if err != nil {
			t.Fatal(err)
		}
		away, err := net.FileConn(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		defer away.Close()
		if _, err := out.Socket(); err == nil {
			t.Error("it was given away twice")
		}
		in, err := e.Wait(t.Context(), uint8(number))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := away.Write([]byte("memory")); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 6)
		if _, err := io.ReadFull(in, b); err != nil || string(b) != "memory" {
			t.Errorf("got %q, %v", b, err)
		}
		end(out)
		if !closed(t, in) || !closed(t, away) {
			t.Errorf("connection %d stays", number)
		}
		in.Close()
		out.Close()
	}
	if d, err := l.OpenData(context.Background(), Token{1}, 3); err == nil {
		d.Close()
		t.Error("one was opened under a link that has ended")
	}
}
