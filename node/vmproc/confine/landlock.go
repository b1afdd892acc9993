package confine

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Of include/uapi/linux/landlock.h (Documentation/userspace-api/landlock.rst).
const landlockCreateRulesetVersion = 1

// landlockRuleset is struct landlock_ruleset_attr. Older kernels know the beginning of it.
type landlockRuleset struct {
	accessFS  uint64 // ABI 1
	accessNet uint64 // ABI 4
	scoped    uint64 // ABI 6
}

// landlockFS is how many kinds of access to files each ABI knows: all of them are taken.
var landlockFS = map[int]uint{1: 13, 2: 14, 3: 15, 4: 15, 5: 16}

const (
	landlockNet    = 1<<0 | 1<<1 // bind, connect by TCP
	landlockScoped = 1<<0 | 1<<1 // abstract Unix sockets, signals to processes outside
)

// landlock takes all access to files, and where the kernel knows how, TCP and signals.
func landlock() Finding {
	f := Finding{Means: "landlock"}
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, landlockCreateRulesetVersion)
	switch {
	case errno == unix.ENOSYS, errno == unix.EOPNOTSUPP:
		f.Answer, f.Note = No, "the kernel has it not, or it is switched off"
		return f
	case errno != 0:
		f.Note = errno.Error()
		return f
	}
	if err := restrict(int(abi)); err != nil {
		f.Answer, f.Note = No, err.Error()
		return f
	}
	f.Answer, f.Note = Yes, fmt.Sprintf("ABI %d", abi)
	return f
}

func restrict(abi int) error {
	bits, ok := landlockFS[abi]
	if !ok {
		bits = landlockFS[5] // a later one: what is known of it
	}
	r := landlockRuleset{accessFS: 1<<bits - 1}
	size := unsafe.Sizeof(r.accessFS)
	if abi >= 4 {
		r.accessNet = landlockNet
		size += unsafe.Sizeof(r.accessNet)
	}
	if abi >= 6 {
		r.scoped = landlockScoped
		size += unsafe.Sizeof(r.scoped)
	}
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&r)), size, 0)
	if errno != 0 {
		return fmt.Errorf("make a ruleset: %w", errno)
	}
	_, err := all(unix.SYS_LANDLOCK_RESTRICT_SELF, fd, 0, 0)
	return errors.Join(err, unix.Close(int(fd)))
}
