package vmm

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/migrated/migrated/vmm/hostabi"
)

// recordUnit is the alignment of frame records and the size of struct mig_trailer, bytes.
const recordUnit = 16

// records shows the frame records at an address to who asked for them, from the last, the
// innermost frame's, back.
func (g *Guest) records(addr, size uint64) error {
	if g.cfg.Record == nil {
		return errors.New("it shows its frame records, but nobody asked for them")
	}
	mem := g.machine.Portable()
	off := addr - hostabi.PortableBase
	if off > uint64(len(mem)) || size > uint64(len(mem))-off {
		return fmt.Errorf("frame records at [%#x, +%#x) are not in portable memory", addr, size)
	}
	for rest := mem[off:][:size]; len(rest) > 0; {
		if len(rest) < recordUnit {
			return fmt.Errorf("%d bytes before the first frame record", len(rest))
		}
		data, trailer := rest[:len(rest)-recordUnit], rest[len(rest)-recordUnit:]
		site, n := binary.LittleEndian.Uint32(trailer), binary.LittleEndian.Uint32(trailer[4:])
		padded := (uint64(n) + recordUnit - 1) &^ (recordUnit - 1)
		if padded > uint64(len(data)) {
			return fmt.Errorf("frame record of site %d has %d bytes, of %d that are left", site, n, len(data))
		}
		data, rest = data[uint64(len(data))-padded:], data[:uint64(len(data))-padded]
		if err := g.cfg.Record(site, data[:n]); err != nil {
			return err
		}
	}
	return nil
}
