// Package checkpoint is the file that a VM can be kept in, and restored from on any ISA.
//
// A file has a header; the memory stream of docs/wire-memory.md, as it would go to another
// node; the hashes of all pages, as an offer; what the node has to say of the VM; and a trailer.
// One that builds on another (its parent) has the pages that are not the parent's.
package checkpoint

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/cespare/xxhash/v2"
)

// A Header is what a file says before its memory.
type Header struct {
	Pages        uint64   // of memory
	Parent       string   // name of the parent's file, in the same directory; empty: none
	ParentDigest [32]byte // of the parent's memory
}

// ErrFormat is wrapped by all complaints about a file's content.
var ErrFormat = errors.New("not a valid checkpoint")

const (
	magic     = "migckpt\n"
	endMagic  = "migckend"
	version   = 1
	headerLen = 72       // without the parent's name
	maxMeta   = 16 << 20 // bytes
	maxName   = 255
)

// appendHeader begins a file: magic number, version, bytes of the parent's name, pages, digest
// and checksum of that name, checksum of all this; then the name. All numbers are
// little-endian, all checksums XXH64.
func appendHeader(b []byte, h *Header) []byte {
	start := len(b)
	b = append(b, magic...)
	b = binary.LittleEndian.AppendUint32(b, version)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(h.Parent)))
	b = binary.LittleEndian.AppendUint64(b, h.Pages)
	b = append(b, h.ParentDigest[:]...)
	b = binary.LittleEndian.AppendUint64(b, xxhash.Sum64String(h.Parent))
	b = binary.LittleEndian.AppendUint64(b, xxhash.Sum64(b[start:]))
	return append(b, h.Parent...)
}

// readHeader reads a header, and nothing behind it.
func readHeader(r io.Reader) (*Header, error) {
	var p [headerLen]byte
	if _, err := io.ReadFull(r, p[:]); err != nil {
		return nil, bad("header: %v", err)
	}
	if string(p[:8]) != magic {
		return nil, bad("no magic number")
	}
	if v := binary.LittleEndian.Uint32(p[8:]); v != version {
		return nil, bad("version %d, this side reads %d", v, version)
	}
	if binary.LittleEndian.Uint64(p[64:]) != xxhash.Sum64(p[:64]) {
		return nil, bad("checksum of the header")
	}
	n := binary.LittleEndian.Uint32(p[12:])
	if n > maxName {
		return nil, bad("name of %d bytes", n)
	}
	name := make([]byte, n)
	if _, err := io.ReadFull(r, name); err != nil {
		return nil, bad("header: %v", err)
	}
	if binary.LittleEndian.Uint64(p[56:]) != xxhash.Sum64(name) {
		return nil, bad("checksum of the parent's name")
	}
	h := &Header{Pages: binary.LittleEndian.Uint64(p[16:]), Parent: string(name)}
	copy(h.ParentDigest[:], p[24:])
	if h.Parent != "" && (filepath.Base(h.Parent) != h.Parent || h.Parent == "." || h.Parent == "..") {
		return nil, bad("parent %q is not a file's name", h.Parent)
	}
	return h, nil
}

// A trailer says where the parts of a file are.
type trailer struct {
	leaves  uint64 // offset of the hashes
	meta    uint64 // offset of the node's account; it reaches to the trailer
	digest  [32]byte
	metaSum uint64
}

const trailerLen = 8 + 8 + 32 + 8 + 8 + 8

func (t *trailer) append(b []byte) []byte {
	start := len(b)
	b = binary.LittleEndian.AppendUint64(b, t.leaves)
	b = binary.LittleEndian.AppendUint64(b, t.meta)
	b = append(b, t.digest[:]...)
	b = binary.LittleEndian.AppendUint64(b, t.metaSum)
	b = binary.LittleEndian.AppendUint64(b, xxhash.Sum64(b[start:]))
	return append(b, endMagic...)
}

// parseTrailer reads the trailer of a file whose memory begins and whose trailer begins at
// offsets.
func parseTrailer(b *[trailerLen]byte, memory, end uint64) (t trailer, err error) {
	if string(b[trailerLen-8:]) != endMagic {
		return t, bad("it has no end: it was cut off")
	}
	if binary.LittleEndian.Uint64(b[56:]) != xxhash.Sum64(b[:56]) {
		return t, bad("checksum of the end")
	}
	t = trailer{
		leaves:  binary.LittleEndian.Uint64(b[:]),
		meta:    binary.LittleEndian.Uint64(b[8:]),
		metaSum: binary.LittleEndian.Uint64(b[48:]),
	}
	copy(t.digest[:], b[16:])
	if t.leaves < memory || t.meta < t.leaves || t.meta > end || end-t.meta > maxMeta {
		return t, bad("parts at %d and %d of %d bytes", t.leaves, t.meta, end)
	}
	return t, nil
}

func bad(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrFormat, fmt.Sprintf(format, args...))
}
