package unwind

import (
	"encoding/binary"
	"errors"
)

var errShort = errors.New("ends in the middle of something")

// A reader takes little-endian values off a section. After a failure all further values are
// zero and err says so.
type reader struct {
	b    []byte
	addr uint64 // virtual address of b[0]
	err  error
}

func (r *reader) take(n uint64) []byte {
	if r.err != nil || n > uint64(len(r.b)) {
		r.b, r.err = nil, errShort
		return nil
	}
	p := r.b[:n:n]
	r.b = r.b[n:]
	r.addr += n
	return p
}

func (r *reader) uint(size uint64) uint64 {
	var v [8]byte
	copy(v[:size], r.take(size))
	return binary.LittleEndian.Uint64(v[:])
}

func (r *reader) u8() byte { return byte(r.uint(1)) }

// uleb and sleb: DWARF 5, 7.6 "Variable Length Data".
func (r *reader) uleb() uint64 {
	var v uint64
	for shift := 0; ; shift += 7 {
		b := r.u8()
		if shift < 64 {
			v |= uint64(b&0x7f) << shift
		}
		if b&0x80 == 0 {
			return v
		}
	}
}

func (r *reader) sleb() int64 {
	var v int64
	for shift := 0; ; {
		b := r.u8()
		if shift < 64 {
			v |= int64(b&0x7f) << shift
		}
		shift += 7
		if b&0x80 == 0 {
			if b&0x40 != 0 && shift < 64 {
				v |= -1 << shift
			}
			return v
		}
	}
}

func (r *reader) str() string {
	for i, b := range r.b {
		if b == 0 {
			return string(r.take(uint64(i) + 1)[:i])
		}
	}
	r.take(uint64(len(r.b)) + 1)
	return ""
}

// Pointer encodings: LSB Core 5.0, 10.5.1 "DWARF Exception Header Encoding". The low four
// bits are the format, the next three what the value is relative to.
const (
	peAbsptr = 0x00
	peULEB   = 0x01
	peUdata2 = 0x02
	peUdata4 = 0x03
	peUdata8 = 0x04
	peSLEB   = 0x09
	peSdata2 = 0x0a
	peSdata4 = 0x0b
	peSdata8 = 0x0c

	peFormat = 0x0f
	pePCRel  = 0x10
	peBase   = 0x70
	peOmit   = 0xff
)

var errEncoding = errors.New("pointer encoding that is not known here")

// value reads a pointer's number without its base.
func (r *reader) value(encoding byte) uint64 {
	switch encoding & peFormat {
	case peAbsptr, peUdata8, peSdata8:
		return r.uint(8)
	case peULEB:
		return r.uleb()
	case peUdata2:
		return r.uint(2)
	case peUdata4:
		return r.uint(4)
	case peSLEB:
		return uint64(r.sleb())
	case peSdata2:
		return uint64(int16(r.uint(2)))
	case peSdata4:
		return uint64(int32(r.uint(4)))
	}
	if r.err == nil {
		r.err = errEncoding
	}
	return 0
}

// pointer reads an encoded pointer.
func (r *reader) pointer(encoding byte) uint64 {
	at := r.addr
	v := r.value(encoding)
	switch encoding & peBase {
	case 0:
	case pePCRel:
		v += at
	default:
		if r.err == nil {
			r.err = errEncoding
		}
	}
	return v
}
