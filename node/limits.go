package node

// Limits bound what peers can make this node hold. Changed ones hold from the next request on.
type Limits struct {
	Moves      int    // to here at a time; 0: 16
	PeerMemory uint64 // of the VMs together that came from one peer, bytes; 0: as much as VMs may have
	Image      uint64 // of a build of an image that a peer gives, bytes; 0: 1 GiB
	Images     uint64 // of all images here, beyond which none is taken from a peer, bytes; 0: 16 GiB
}

func (l Limits) withDefaults() Limits {
	if l.Moves == 0 {
		l.Moves = 16
	}
	if l.Image == 0 {
		l.Image = 1 << 30
	}
	if l.Images == 0 {
		l.Images = 16 << 30
	}
	return l
}
