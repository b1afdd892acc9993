package link

import (
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/migrated/migrated/node/trust"
	"github.com/migrated/migrated/node/trust/trusttest"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// TestDoor: strangers beyond the limits are turned away at once, and those who leave make room.
func TestDoor(t *testing.T) {
	var d door
	from := func(ip string) net.Conn { return stranger{addr: &net.TCPAddr{IP: net.ParseIP(ip), Port: 1}} }
	var leave []func()
	for range maxStrangersFrom {
		l, err := d.enter(from("192.0.2.1"))
		if err != nil {
			t.Fatal(err)
		}
		leave = append(leave, l)
	}
	if _, err := d.enter(from("192.0.2.1")); err == nil {
		t.Error("one more from the same address gets in")
	}
	leave[0]()
	leave[0]() // counts once
	l, err := d.enter(from("192.0.2.1"))
	if err != nil {
		t.Errorf("one has left, and: %v", err)
	}
	leave[0] = l
	for i := range maxStrangers - maxStrangersFrom {
		l, err := d.enter(from(net.IPv4(198, 51, 100, byte(i)).String()))
		if err != nil {
			t.Fatal(err)
		}
		leave = append(leave, l)
	}
	if _, err := d.enter(from("2001:db8::1")); err == nil {
		t.Error("one more than all gets in")
	}
	for _, l := range leave {
		l()
	}
	if d.total != 0 || len(d.from) != 0 {
		t.Errorf("all have left, and %d are counted, from %v", d.total, d.from)
	}
}

// TestRefusalsAreLoggedSparsely: of many who are refused at a time one is logged, and the
// others are counted.
func TestRefusalsAreLoggedSparsely(t *testing.T) {
	var d door
	at := time.Now()
	if yes, silent := d.mayLog(at); !yes || silent != 0 {
		t.Errorf("the first: %v, %d", yes, silent)
	}
	for range 5 {
		if yes, _ := d.mayLog(at.Add(logInterval / 2)); yes {
			t.Error("another at the same time is logged")
		}
	}
	if yes, silent := d.mayLog(at.Add(2 * logInterval)); !yes || silent != 5 {
		t.Errorf("later: %v, %d", yes, silent)
	}
}

// A stranger is a connection of which only the address is known.
type stranger struct {
	net.Conn
	addr net.Addr
}

func (s stranger) RemoteAddr() net.Addr { return s.addr }

// TestSilentStrangersDoNotBlock: connections that say nothing keep nobody out who is enrolled.
func TestSilentStrangersDoNotBlock(t *testing.T) {
	a := newHub(t, "a", "1")
	for range maxStrangersFrom - 1 {
		c, err := net.Dial("tcp", a.address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	b := newHub(t, "b", "2", a)
	waitLink(t, b, "a")
}

// TestRenewal: a link holds as long as the peer's newest certificate, and no longer.
func TestRenewal(t *testing.T) {
	a := newHub(t, "a", "1")
	b := newHub(t, "b", "2", a)
	at, to := waitLink(t, a, "b"), waitLink(t, b, "a")
	soon := time.Now().Add(time.Minute)
	at.set(soon)
	sent, err := to.renew(nil)
	if err != nil || sent == nil {
		t.Fatalf("renew: %v", err)
	}
	for range 1000 {
		if at.get().After(soon.Add(time.Hour)) {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if until := at.get(); !until.After(soon.Add(time.Hour)) {
		t.Errorf("a renewed certificate holds until %v", until)
	}
	if again, err := to.renew(sent); err != nil || &again[0] != &sent[0] {
		t.Errorf("the same certificate is sent again: %v", err)
	}
	at.set(time.Now().Add(-time.Second))
	<-at.Done()
	<-to.Done()
	for range 1000 {
		if waitLink(t, b, "a") != to {
			return // it was dialled again
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Error("a link whose certificate has run out goes on")
}

// TestGate: the port is open while a peer is enrolled or a token waits, and at no other time.
func TestGate(t *testing.T) {
	store := trusttest.Open(t, "")
	h := NewHub(Config{
		Self: func() *pb.NodeInfo { return &pb.NodeInfo{Name: "a", Id: "1"} }, Trust: store,
		Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler),
	})
	defer h.Close()
	if h.gate.ln != nil {
		t.Fatal("it is open for nobody")
	}
	addr, err := h.Listen()
	if err != nil {
		t.Fatal(err)
	}
	open := func() bool {
		if err := h.Listening(); err != nil {
			t.Fatal(err)
		}
		c, err := net.Dial("tcp", addr.String())
		if err == nil {
			c.Close()
		}
		return err == nil
	}
	if open() {
		t.Error("it is open though no token was made")
	}
	if _, err := store.Issue("a", "b", trust.Node, time.Hour, []string{addr.String()}); err != nil {
		t.Fatal(err)
	}
	if !open() {
		t.Error("it is closed though a token waits")
	}
	if err := store.Revoke("b"); err != nil {
		t.Fatal(err)
	}
	if open() {
		t.Error("it is open though the token is void")
	}
	trusttest.Know(t, store, trusttest.Party{Name: "c", Store: trusttest.Open(t, "")}, trust.Receive)
	if !open() {
		t.Error("it is closed though a peer is enrolled")
	}
	if err := store.Revoke("c"); err != nil {
		t.Fatal(err)
	}
	if open() {
		t.Error("it is open though all are revoked")
	}
}

// TestRevokeCutsData: streams of memory end with their link.
func TestRevokeCutsData(t *testing.T) {
	a := newHub(t, "a", "1")
	b := newHub(t, "b", "2", a)
	waitLink(t, a, "b")
	e, err := a.Expect(Token{1}, "b")
	if err != nil {
		t.Fatal(err)
	}
	defer e.Cancel()
	if _, err := waitLink(t, b, "a").OpenData(t.Context(), Token{1}, 0); err != nil {
		t.Fatal(err)
	}
	c, err := e.Wait(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.trust.Revoke("b"); err != nil {
		t.Fatal(err)
	}
	a.Enforce()
	if n, err := io.Copy(io.Discard, c); n != 0 {
		t.Errorf("%d bytes, %v", n, err)
	}
	for range 1000 {
		if _, err := a.Link("b"); err != nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Error("who is revoked still has a link")
}
