package vmm

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// peek copies portable memory through the kernel. A page of a guest that came by post-copy may
// be missing; then whoever touches it waits, and Go's scheduler, which has to stop all threads
// now and then, knows of a thread that waits in a system call only.
func peek(to, from []byte) error {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return fmt.Errorf("read guest memory: %w", err)
	}
	defer unix.Close(pipe[0])
	defer unix.Close(pipe[1])
	for len(to) > 0 {
		const room = 16 << 10 // a pipe takes as much without anybody reading
		n, err := unix.Write(pipe[1], from[:min(len(to), room)])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("read guest memory: %w", err)
		}
		for got := 0; got < n; {
			m, err := unix.Read(pipe[0], to[got:n])
			if err != nil && err != unix.EINTR {
				return fmt.Errorf("read guest memory: %w", err)
			}
			got += max(m, 0)
		}
		to, from = to[n:], from[n:]
	}
	return nil
}
