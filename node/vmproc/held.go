package vmproc

import (
	"os"

	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/userfault"
)

// A Backend opens what machines are made of, before the process is confined, and returns what
// makes them.
type Backend func() (func(vmm.Spec) (vmm.Machine, error), error)

// What a process has open from its beginning: once confined, it can open nothing. A nil file
// is one that this host has not, or not for this user.
type held struct {
	pageMap *os.File        // which of its pages are there
	area    *userfault.Area // to fill memory on demand
}

// hold opens all that the process will ever need.
func hold(backend Backend) (held, func(vmm.Spec) (vmm.Machine, error)) {
	machine, err := backend()
	if err != nil { // said when a guest is to be made
		machine = func(vmm.Spec) (vmm.Machine, error) { return nil, err }
	}
	var h held
	h.pageMap, _ = os.Open("/proc/self/pagemap")
	h.area, _ = userfault.Open() // without it, memory has to come before the guest starts
	return h, machine
}
