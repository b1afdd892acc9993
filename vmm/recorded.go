package vmm

import (
	"bytes"
	"encoding/binary"

	"github.com/migrated/migrated/vmm/hostabi"
	"github.com/migrated/migrated/vmm/symbols"
)

// recorded returns the frames of the running thread that have not come back since the last
// move, innermost first, those of at most limit records: they are outside of those on its machine stack.
// What a guest says may be anything.
func (g *Guest) recorded(names *symbols.Table, limit int) []Frame {
	var records hostabi.Records
	sites, ok := names.Address("__mig_sites")
	if !ok || g.readInto(g.ctl.Records, &records) != nil {
		return nil
	}
	var frames []Frame
	for end := records.Top; end >= recordUnit && limit > 0; limit-- {
		var trailer struct {
			Site, Size uint32
		}
		var resume uint64
		if g.readInto(records.Stack+end-recordUnit, &trailer) != nil ||
			g.readInto(sites+8*uint64(trailer.Site), &resume) != nil {
			break
		}
		frames = append(frames, atSite(names, trailer.Site, resume)...)
		size := (uint64(trailer.Size)+recordUnit-1)&^(recordUnit-1) + recordUnit
		if size > end {
			break
		}
		end -= size
	}
	return frames
}

// atSite names the frame of a record, which a resume function would bring back, and what is inlined in it.
func atSite(names *symbols.Table, site uint32, resume uint64) []Frame {
	chain := names.Site(site)
	if len(chain) == 0 {
		chain = []symbols.Location{{}}
	}
	if at := names.Lookup(resume); len(at) > 0 { // what the linker saw, as in Lookup
		chain[len(chain)-1].Function = at[len(at)-1].Function
	}
	return located(resume, chain)
}

// readInto reads a structure of guest memory.
func (g *Guest) readInto(addr uint64, v any) error {
	b := make([]byte, binary.Size(v))
	if err := g.read(addr, b); err != nil {
		return err
	}
	return binary.Read(bytes.NewReader(b), binary.LittleEndian, v)
}
