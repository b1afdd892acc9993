package main

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/migrated/migrated/vmm"
)

// idlers is how many VMs are looked at together, so that what they share counts once.
const idlers = 8

// idling measures what VMs that wait for input add to the resident memory of their process,
// without the pages of the program's own.
func idling(ctx context.Context, b *bench) error {
	if !b.wants("idle") {
		return nil
	}
	m, err := b.image(ctx, b.local("idle"))
	if err != nil {
		return err
	}
	before, err := resident()
	if err != nil {
		return err
	}
	var own uint64
	for range idlers {
		g, err := newGuest(m, 64<<20, "")
		if err != nil {
			return err
		}
		defer g.Close()
		if err := g.Start(nil); err != nil {
			return err
		}
		for !strings.Contains(g.stream(vmm.Stdout), "ready\n") {
			select {
			case <-g.Done():
				return fmt.Errorf("the guest ended: %+v", g.Exit())
			case <-time.After(time.Millisecond):
			}
		}
		n, err := residentOf(g.Memory())
		if err != nil {
			return err
		}
		own += n
	}
	after, err := resident()
	if err != nil {
		return err
	}
	note := fmt.Sprintf("mean of %d; the program's own memory is %s MiB", idlers, number(mebibytes(float64(own)/idlers)))
	b.report.expect("idle", mebibytes((float64(after)-float64(before)-float64(own))/idlers), "MiB", 6, note)
	return nil
}

func mebibytes(n float64) float64 { return n / (1 << 20) }

// resident returns this process's resident memory, bytes, with no garbage.
func resident() (uint64, error) {
	debug.FreeOSMemory()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	var size, pages uint64
	if _, err := fmt.Sscan(string(b), &size, &pages); err != nil {
		return 0, fmt.Errorf("read /proc/self/statm: %w", err)
	}
	return pages * uint64(os.Getpagesize()), nil
}

// residentOf returns how many bytes of page-aligned memory are resident.
func residentOf(mem []byte) (uint64, error) {
	page := os.Getpagesize()
	vec := make([]byte, (len(mem)+page-1)/page)
	_, _, errno := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(unsafe.SliceData(mem))),
		uintptr(len(mem)), uintptr(unsafe.Pointer(unsafe.SliceData(vec))))
	if errno != 0 {
		return 0, fmt.Errorf("mincore: %w", errno)
	}
	var n uint64
	for _, v := range vec {
		n += uint64(v & 1)
	}
	return n * uint64(page), nil
}
