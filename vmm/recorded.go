package vmm

import (
	"bytes"
	"encoding/binary"
	"strings"

	"github.com/migrated/migrated/vmm/hostabi"
	"github.com/migrated/migrated/vmm/symbols"
)

// resumeSuffix is what the frames pass adds to a function's name for that of its resume
// function (docs/runtime-abi.md).
const resumeSuffix = ".resume"

// recorded returns the frames of the running thread that have not come back since the last
// move, innermost first and at most limit: they are outside of those on its machine stack. A
// record says which function it is of, not which line. What a guest says may be anything.
func (g *Guest) recorded(names *symbols.Table, limit int) []Frame {
	var records hostabi.Records
	sites, ok := names.Address("__mig_sites")
	if !ok || g.readInto(g.ctl.Records, &records) != nil {
		return nil
	}
	var frames []Frame
	for end := records.Top; end >= recordUnit && len(frames) < limit; {
		var trailer struct {
			Site, Size uint32
		}
		var resume uint64
		if g.readInto(records.Stack+end-recordUnit, &trailer) != nil ||
			g.readInto(sites+8*uint64(trailer.Site), &resume) != nil {
			break
		}
		frames = append(frames, function(names, resume))
		size := (uint64(trailer.Size)+recordUnit-1)&^(recordUnit-1) + recordUnit
		if size > end {
			break
		}
		end -= size
	}
	return frames
}

// function names the function that a resume function is of.
func function(names *symbols.Table, resume uint64) Frame {
	f := Frame{PC: resume}
	if at := names.Lookup(resume); len(at) > 0 {
		f.Function = strings.TrimSuffix(at[len(at)-1].Function, resumeSuffix)
	}
	if start, ok := names.Address(f.Function); ok {
		if at := names.Lookup(start); len(at) > 0 {
			f.File = at[len(at)-1].File
		}
	}
	return f
}

// readInto reads a structure of guest memory.
func (g *Guest) readInto(addr uint64, v any) error {
	b := make([]byte, binary.Size(v))
	if err := g.read(addr, b); err != nil {
		return err
	}
	return binary.Read(bytes.NewReader(b), binary.LittleEndian, v)
}
