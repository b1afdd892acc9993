package oracle

import (
	"math/rand/v2"

	"github.com/migrated/migrated/image"
)

// A Route says where a program goes and when.
type Route struct {
	Builds []*image.Build // run on in turn, over and over; the same one twice is two machines
	Gap    Gap            // how long it stays
	Limit  int            // moves after which it stays for good; 0: none
	// Fresh makes a new machine for each move. Otherwise each build has one, which is
	// resumed when the guest comes back to it: much faster, but the path from a machine's
	// start to the resume is taken once only.
	Fresh bool
}

// A Gap returns the migration points until the next move; 0: none follows.
type Gap func() uint64

// Never does not move.
func Never() uint64 { return 0 }

// Every moves at each n-th migration point; at every single one for 1.
func Every(n uint64) Gap { return func() uint64 { return n } }

// Random moves at points chosen by the seed, on average after mean points.
func Random(seed, mean uint64) Gap {
	r := rand.New(rand.NewPCG(seed, 0))
	return func() uint64 { return 1 + r.Uint64N(max(1, 2*mean-1)) }
}
