package live

import (
	"bufio"
	"net"
)

// A gatherer is a connection on which what is written can be held back until an answer is waited for: the last
// round, the end and what follows it are a few writes, each of which would cost a call and wake the other side.
type gatherer struct {
	net.Conn
	holding bool
	held    *bufio.Writer
}

// gatherMost is as much as is held back, bytes. More takes its time whatever happens.
const gatherMost = 64 << 10

func newGatherer(c net.Conn) *gatherer {
	return &gatherer{Conn: c, held: bufio.NewWriterSize(c, gatherMost)}
}

// hold begins to hold back.
func (g *gatherer) hold() { g.holding = true }

func (g *gatherer) Write(p []byte) (int, error) {
	if !g.holding {
		return g.Conn.Write(p)
	}
	return g.held.Write(p)
}

func (g *gatherer) flush() error { return g.held.Flush() }
