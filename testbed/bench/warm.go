package main

import (
	"errors"

	"golang.org/x/sys/unix"
)

// warm has memory that the kernel gives out next be there already. A virtual machine's is often
// given to it at the first touch, which takes several times as long as to move a page, and taken
// away when it has been free for some seconds: so this is done just before a move.
func warm(mib int) error {
	mem, err := unix.Mmap(-1, 0, mib<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return err
	}
	_ = unix.Madvise(mem, unix.MADV_HUGEPAGE) // as both targets ask for; not every kernel has them
	return errors.Join(unix.Madvise(mem, unix.MADV_POPULATE_WRITE), unix.Munmap(mem))
}
