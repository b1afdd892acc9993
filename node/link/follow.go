package link

import (
	"net"
	"slices"
	"time"

	"github.com/migrated/migrated/node/trust"
)

// watchTrust acts on what is decided about trust for as long as the hub lives.
func (h *Hub) watchTrust(change <-chan struct{}) {
	for {
		var expiry <-chan time.Time // of a token: the last one closes the listener
		if at := h.trust.NextExpiry(); !at.IsZero() {
			expiry = time.After(time.Until(at) + time.Second)
		}
		select {
		case <-change:
		case <-expiry:
		case <-h.ctx.Done():
			return
		}
		change = h.trust.Changed()
		h.followTrust()
	}
}

// followTrust ends what is no longer allowed, dials whom it should and no one else, and opens
// or closes the listener.
func (h *Hub) followTrust() {
	h.Enforce()
	h.dialPeers()
	if err := h.Listening(); err != nil {
		h.log.Error("listen for other nodes", "err", err)
	}
}

// Enforce ends the connections of all who have no right to them any more.
func (h *Hub) Enforce() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, all := range h.links {
		for _, l := range slices.Clone(all) {
			if err := h.trust.Check(l.key, trust.Node); err != nil {
				h.log.Warn("link ended", "peer", l.Name(), "why", err)
				l.Close()
			}
		}
	}
	for c := range h.calls {
		if err := h.trust.Check(c.addr.Peer.Key, trust.Operate); err != nil {
			h.log.Warn("connection of an operator ended", "peer", c.addr.Peer.Name, "why", err)
			delete(h.calls, c)
			c.Conn.Close()
		}
	}
}

// SetPeers says which nodes are configured from now on. Links that are there stay, also to
// those that are not among them any more: VMs may need them.
func (h *Hub) SetPeers(peers []Peer) {
	h.mu.Lock()
	h.peers = peers
	h.mu.Unlock()
	h.dialPeers()
}

// dialPeers keeps a dialler for each peer that is configured or enrolled with an address.
func (h *Hub) dialPeers() {
	h.mu.Lock()
	defer h.mu.Unlock()
	want := make(map[string][]string)
	for _, p := range h.trust.Peers() {
		if p.Revoked == nil && p.Rights&trust.Node != 0 && len(p.Addresses) > 0 {
			want[p.Name] = p.Addresses
		}
	}
	for _, p := range h.peers { // what is configured is what counts
		want[p.Name] = []string{p.Address}
	}
	if h.ctx.Err() != nil {
		return
	}
	for name, d := range h.dialled {
		if !slices.Equal(d.addresses, want[name]) {
			d.cancel()
			delete(h.dialled, name)
		}
	}
	for name, addresses := range want {
		if d := h.dialled[name]; d != nil {
			d.hurry() // it may have been enrolled just now
			continue
		}
		d := newDialler(h, name, addresses)
		h.dialled[name] = d
		h.wg.Go(d.run)
	}
	h.notify()
}

// An operatorConn is the connection of an operator elsewhere.
type operatorConn struct {
	net.Conn
	hub  *Hub
	addr OperatorAddr
}

// An OperatorAddr is the remote address of an operator's connection.
type OperatorAddr struct {
	Peer    trust.Peer
	Address string
}

func (a OperatorAddr) Network() string { return "operator" }
func (a OperatorAddr) String() string  { return a.Peer.Name + "@" + a.Address }

func (c *operatorConn) RemoteAddr() net.Addr { return c.addr }

func (c *operatorConn) Close() error {
	c.hub.mu.Lock()
	delete(c.hub.calls, c)
	c.hub.mu.Unlock()
	return c.Conn.Close()
}

// Connected says whether the peer with a key has a connection.
func (h *Hub) Connected(key trust.Key) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, all := range h.links {
		if len(all) > 0 && all[0].key == key {
			return true
		}
	}
	for c := range h.calls {
		if c.addr.Peer.Key == key {
			return true
		}
	}
	return false
}
