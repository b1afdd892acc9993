package node

import (
	"net"
	"sync"
	"testing"

	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/node/link"
)

// A proxy is the network between two nodes: it can be cut, frozen and made to alter bytes.
type proxy struct {
	t       *testing.T
	ln      net.Listener
	forward string

	mu     sync.Mutex
	conns  []net.Conn
	cut    bool
	thaw   chan struct{} // not nil while frozen: closed to go on
	alter  bool          // the next large piece from the dialling side
	passed int64         // bytes from the dialling side
}

func newProxy(t *testing.T, forward string) *proxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{t: t, ln: ln, forward: forward}
	go p.accept()
	t.Cleanup(func() {
		ln.Close()
		p.freeze(false)
		p.setCut(true)
	})
	return p
}

func (p *proxy) accept() {
	for {
		in, err := p.ln.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		cut := p.cut
		p.mu.Unlock()
		out, err := net.Dial("tcp", p.forward)
		if cut || err != nil {
			in.Close()
			if err == nil {
				out.Close()
			}
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, in, out)
		p.mu.Unlock()
		go p.copy(out, in, true)
		go p.copy(in, out, false)
	}
}

func (p *proxy) copy(to, from net.Conn, dialling bool) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		thaw := p.thaw
		if dialling {
			p.passed += int64(n)
			if p.alter && n > 32<<10 {
				p.alter = false
				buf[n/2] ^= 0x40
			}
		}
		p.mu.Unlock()
		if thaw != nil {
			<-thaw
		}
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// setCut ends all connections and lets none be made, until it is taken back.
func (p *proxy) setCut(cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = cut
	if cut {
		for _, c := range p.conns {
			c.Close()
		}
		p.conns = nil
	}
}

// freeze lets nothing through, and closes nothing.
func (p *proxy) freeze(frozen bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case frozen && p.thaw == nil:
		p.thaw = make(chan struct{})
	case !frozen && p.thaw != nil:
		close(p.thaw)
		p.thaw = nil
	}
}

// alterNext flips a bit in the next large piece.
func (p *proxy) alterNext() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.alter = true
}

// proxied starts a server that reaches the board through a proxy.
func proxied(t *testing.T) (server, board *testNode, p *proxy) {
	t.Helper()
	board = startNode(t, "board", isa.AArch64)
	p = newProxy(t, board.address)
	server = startNode(t, "server", isa.X86_64, link.Peer{Name: "board", Address: p.ln.Addr().String()})
	server.awaitLink("board")
	board.awaitLink("server")
	return server, board, p
}
