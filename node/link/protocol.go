package link

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// Protocol is the version of what nodes say to each other on a link: requests, their meaning
// and the memory stream. It is raised with every change that a node of the version before
// would misunderstand.
const Protocol = 7

// self is what this node says of itself.
func (h *Hub) self() *pb.NodeInfo {
	self := proto.CloneOf(h.cfg.Self())
	self.Protocol = Protocol
	return self
}

// checkProtocol refuses a node that would misunderstand this one.
func (h *Hub) checkProtocol(peer *pb.NodeInfo) error {
	if peer.Protocol == Protocol {
		return nil
	}
	self := h.cfg.Self()
	return fmt.Errorf("%s (migrated %s) speaks version %d of the protocol between nodes, %s (migrated %s) version %d: install one version of migrated on both",
		peer.Name, peer.Version, peer.Protocol, self.Name, self.Version, Protocol)
}
