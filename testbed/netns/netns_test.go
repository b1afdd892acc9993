package netns

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"
)

func newPair(t *testing.T) *Pair {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root to make network namespaces")
	}
	if _, err := exec.LookPath("tc"); err != nil {
		t.Skip("needs ip and tc, of Debian's iproute2")
	}
	p, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// connect returns the ends of a connection from A to B.
func connect(t *testing.T, p *Pair) (a, b net.Conn) {
	t.Helper()
	var l net.Listener
	err := p.B.Do(func() (err error) {
		l, err = net.Listen("tcp", p.B.Address+":0")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := p.A.Do(func() (err error) {
		a, err = net.Dial("tcp", l.Addr().String())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if b, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { errors.Join(a.Close(), b.Close()) })
	return a, b
}

// TestRate sends more than the link's queue and bucket hold: it cannot be there sooner than the
// rate allows.
func TestRate(t *testing.T) {
	p := newPair(t)
	const rate, size = 80_000_000, 2_000_000
	if err := p.Shape(rate); err != nil {
		t.Fatal(err)
	}
	a, b := connect(t, p)
	sent := bytes.Repeat([]byte("0123456789abcdef"), size/16)
	begin := time.Now()
	go func() {
		a.Write(sent)
		a.Close()
	}()
	got, err := io.ReadAll(b)
	if err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("%d bytes of %d arrived: %v", len(got), size, err)
	}
	if counted, err := p.A.Sent(); err != nil || counted < size {
		t.Errorf("%d bytes were counted, %v; %d were sent", counted, err, size)
	}
	const bucket = 70_000
	if took, least := time.Since(begin), time.Duration(size-bucket)*8*time.Second/rate; took < least {
		t.Errorf("%d bytes took %v, at most as much as passes in %v", size, took, least)
	}
}

// TestSlow exchanges bytes, delayed on the one way and on the other, and no more.
func TestSlow(t *testing.T) {
	p := newPair(t)
	a, b := connect(t, p)
	exchange := func() time.Duration {
		begin, one := time.Now(), make([]byte, 1)
		for _, c := range []struct{ from, to net.Conn }{{a, b}, {b, a}} {
			if _, err := c.from.Write([]byte{1}); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(c.to, one); err != nil {
				t.Fatal(err)
			}
		}
		return time.Since(begin)
	}
	const delay = 20 * time.Millisecond
	for _, from := range []*Namespace{p.A, p.B} {
		if err := p.Slow(from, delay); err != nil {
			t.Fatal(err)
		}
		if took := exchange(); took < delay {
			t.Errorf("a round trip took %v, less than the link's %v", took, delay)
		}
	}
	p.Hurry()
	exchange() // by the ordinary way again
}

// TestApart looks for one namespace's listener from where the test runs.
func TestApart(t *testing.T) {
	p := newPair(t)
	var here []net.Interface
	if err := p.A.Do(func() (err error) {
		here, err = net.Interfaces()
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, i := range here {
		if i.Name != "lo" && i.Name != wire {
			t.Errorf("the namespace has %s of this machine's", i.Name)
		}
	}
	if _, err := net.InterfaceByName(wire); err == nil {
		t.Error("the link has an end in this machine's namespace")
	}
}

func TestSent(t *testing.T) {
	const head = "Inter-|   Receive |  Transmit\n face |bytes packets |bytes\n    lo:  1 2 3 4 5 6 7 8 9 10\n"
	if n, err := sent(head + "  wire: 1 2 3 4 5 6 7 8 123456789012 10 11\n"); n != 123456789012 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	for _, bad := range []string{"", head, head + " wire: 1 2\n", head + " wire: 1 2 3 4 5 6 7 8 x 9\n"} {
		if n, err := sent(bad); err == nil {
			t.Errorf("%q has %d and no error", bad, n)
		}
	}
}
