package node

import (
	"github.com/migrated/migrated/node/link"
	"github.com/migrated/migrated/node/move"
)

// Settings are what can change while a node runs.
type Settings struct {
	Peers         []link.Peer
	DefaultMemory uint64 // of a VM, bytes
	MemoryLimit   uint64 // of all VMs here together, bytes; 0: what the machine has
	KeepMemory    uint64 // of VMs that have left, together, bytes; 0: none
	KeepEnded     int    // records of VMs that have ended; the oldest are forgotten
	Timeouts      move.Timeouts
	Limits        Limits
}

func (s Settings) withDefaults() Settings {
	s.Timeouts = s.Timeouts.WithDefaults()
	s.Limits = s.Limits.withDefaults()
	if s.DefaultMemory == 0 {
		s.DefaultMemory = 64 << 20
	}
	if s.KeepEnded == 0 {
		s.KeepEnded = 100
	}
	return s
}

// Apply puts other settings in force. Moves that are under way keep theirs, and VMs that are
// here stay, whatever the limit is now.
func (n *Node) Apply(s Settings) {
	s = s.withDefaults()
	n.live.Store(&s)
	n.budget.setLimit(s.MemoryLimit)
	n.kept.setLimit(s.KeepMemory)
	n.hub.SetPeers(s.Peers)
	n.prune()
}
