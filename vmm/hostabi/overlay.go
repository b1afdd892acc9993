package hostabi

import (
	"fmt"
	"unsafe"
)

// CtlAt returns the control page that lies at the start of b, shared memory.
func CtlAt(b []byte) (*Ctl, error) { return overlay[Ctl](b) }

// RingAt returns the ring that lies at the start of b, shared memory.
func RingAt(b []byte) (*Ring, error) { return overlay[Ring](b) }

func overlay[T Ctl | Ring](b []byte) (*T, error) {
	var t T
	if uintptr(len(b)) < unsafe.Sizeof(t) {
		return nil, fmt.Errorf("%T needs %d bytes, has %d", t, unsafe.Sizeof(t), len(b))
	}
	p := unsafe.Pointer(unsafe.SliceData(b))
	if uintptr(p)%unsafe.Alignof(t) != 0 {
		return nil, fmt.Errorf("%T at a misaligned address", t)
	}
	return (*T)(p), nil
}
