package tender

import (
	"fmt"

	"github.com/migrated/migrated/vmm/hostabi"
)

// Poison fills memory that nobody may read: eight of it are no address that a guest has.
const Poison = 0xdb

// PoisonStacks overwrites the threads' machine stacks as far as they were ever used. All
// threads must have left them.
func (m *Machine) PoisonStacks() error {
	for _, r := range m.mem.regions {
		if r.addr < hostabi.StackBase {
			continue
		}
		used, err := extents(m.mem.privateFile, int64(r.offset), int64(r.offset+r.size))
		if err != nil {
			return fmt.Errorf("poison the machine stack at %#x: %w", uint64(r.addr), err)
		}
		for _, e := range used {
			stack := m.mem.private[e.Start:e.End]
			for i := range stack {
				stack[i] = Poison
			}
		}
	}
	return nil
}
