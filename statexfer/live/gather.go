package live

import "net"

// A gatherer is a connection on which what is written can be held back until an answer is waited for: the last
// round, the end and what follows it are a few writes, each of which would cost a call and wake the other side.
type gatherer struct {
	net.Conn
	holding bool
	held    []byte
}

// gatherMost is as much as is held back, bytes. More takes its time whatever happens.
const gatherMost = 64 << 10

// hold begins to hold back.
func (g *gatherer) hold() { g.holding = true }

func (g *gatherer) Write(p []byte) (int, error) {
	if !g.holding {
		return g.Conn.Write(p)
	}
	g.held = append(g.held, p...)
	if len(g.held) < gatherMost {
		return len(p), nil
	}
	return len(p), g.flush()
}

func (g *gatherer) flush() error {
	if len(g.held) == 0 {
		return nil
	}
	_, err := g.Conn.Write(g.held)
	g.held = g.held[:0]
	return err
}
