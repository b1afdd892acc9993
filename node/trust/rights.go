package trust

import (
	"fmt"
	"strings"
)

// Rights are what a peer may do here.
type Rights uint8

const (
	// Send lets a peer move its VMs here, and rule them here.
	Send Rights = 1 << iota
	// Receive lets a peer be moved VMs to from here, with their images and their logs.
	Receive
	// Operate lets a peer do what an operator of this node can, but decide on trust.
	Operate
)

// Node are the rights of a node, unless it is given others.
const Node = Send | Receive

var rightNames = []struct {
	right Rights
	name  string
}{{Send, "send"}, {Receive, "receive"}, {Operate, "operate"}}

// Names lists the rights by name.
func (r Rights) Names() []string {
	var names []string
	for _, n := range rightNames {
		if r&n.right != 0 {
			names = append(names, n.name)
		}
	}
	return names
}

func (r Rights) String() string { return strings.Join(r.Names(), ",") }

func (r Rights) or() string { return strings.Join(r.Names(), " or ") }

// ParseRights reads names of rights; there must be one at least.
func ParseRights(names []string) (Rights, error) {
	var all Rights
names:
	for _, name := range names {
		for _, n := range rightNames {
			if n.name == name {
				all |= n.right
				continue names
			}
		}
		return 0, fmt.Errorf("unknown right %q: want send, receive or operate", name)
	}
	if all == 0 {
		return 0, fmt.Errorf("no right is given: want some of send, receive, operate")
	}
	return all, nil
}

// MarshalText writes the rights' names.
func (r Rights) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (r *Rights) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRights(strings.Split(string(text), ","))
	return err
}
