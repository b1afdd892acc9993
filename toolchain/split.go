package toolchain

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"
	"os"

	"github.com/migrated/migrated/vmm/symbols"
)

// Sizes of ELF64 structures, bytes: gABI, ch. 4 "ELF Header", "Sections"; ch. 5 "Program
// Header".
const (
	ehdrSize = 64
	phdrSize = 56
	shdrSize = 64
)

// splitELF splits a linked executable into one that only loads, and a file with what
// debuggers and unwinders read: symbols, .eh_frame, DWARF, the lines of sites. The latter has all section
// headers, and for what is loaded no content, as objcopy --only-keep-debug would make it.
func splitELF(linked, lines []byte) (exec, debug []byte, err error) {
	f, err := elf.NewFile(bytes.NewReader(linked))
	if err != nil {
		return nil, nil, err
	}
	if f.Class != elf.ELFCLASS64 || f.Data != elf.ELFDATA2LSB {
		return nil, nil, fmt.Errorf("linked file is %v %v", f.Class, f.Data)
	}
	if exec, err = loadable(f); err != nil {
		return nil, nil, err
	}
	if debug, err = debugOnly(f, linked, lines); err != nil {
		return nil, nil, err
	}
	return exec, debug, nil
}

func header(f *elf.File) elf.Header64 {
	h := elf.Header64{
		Type:    uint16(f.Type),
		Machine: uint16(f.Machine),
		Version: uint32(elf.EV_CURRENT),
		Entry:   f.Entry,
		Ehsize:  ehdrSize,
	}
	copy(h.Ident[:], elf.ELFMAG)
	h.Ident[elf.EI_CLASS] = byte(f.Class)
	h.Ident[elf.EI_DATA] = byte(f.Data)
	h.Ident[elf.EI_VERSION] = byte(elf.EV_CURRENT)
	return h
}

// loadable returns an ELF file of the segments alone.
func loadable(f *elf.File) ([]byte, error) {
	var progs []elf.Prog64
	var body bytes.Buffer
	n := 0
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD && p.Memsz > 0 {
			n++
		}
	}
	start := uint64(ehdrSize + n*phdrSize)
	for _, p := range f.Progs {
		if p.Type != elf.PT_LOAD || p.Memsz == 0 {
			continue
		}
		// Offset and address agree modulo the page: gABI, ch. 5 "Program Header", p_align.
		for (start+uint64(body.Len()))%p.Align != p.Vaddr%p.Align {
			body.WriteByte(0)
		}
		progs = append(progs, elf.Prog64{
			Type: uint32(p.Type), Flags: uint32(p.Flags), Off: start + uint64(body.Len()),
			Vaddr: p.Vaddr, Paddr: p.Vaddr, Filesz: p.Filesz, Memsz: p.Memsz, Align: p.Align,
		})
		if _, err := io.Copy(&body, p.Open()); err != nil {
			return nil, fmt.Errorf("read segment at %#x: %w", p.Vaddr, err)
		}
	}
	h := header(f)
	h.Phoff, h.Phentsize, h.Phnum = ehdrSize, phdrSize, uint16(n)
	var out bytes.Buffer
	write(&out, h)
	write(&out, progs)
	out.Write(body.Bytes())
	return out.Bytes(), nil
}

// debugOnly returns an ELF file of all sections, where those that are loaded are without
// content but for the unwind tables, and of one more that has the lines of sites.
func debugOnly(f *elf.File, linked, lines []byte) ([]byte, error) {
	// debug/elf keeps the names but not their offsets: those come from the file itself.
	shoff := binary.LittleEndian.Uint64(linked[0x28:]) // e_shoff
	names := binary.LittleEndian.Uint16(linked[0x3e:]) // e_shstrndx
	if n := uint64(len(f.Sections)); n == 0 || shoff > uint64(len(linked)) || n*shdrSize > uint64(len(linked))-shoff {
		return nil, fmt.Errorf("no section headers")
	}
	headers := make([]elf.Section64, len(f.Sections))
	if err := binary.Read(bytes.NewReader(linked[shoff:]), binary.LittleEndian, headers); err != nil {
		return nil, err
	}
	extra := elf.Section64{Type: uint32(elf.SHT_PROGBITS), Size: uint64(len(lines)), Addralign: 1}
	out := bytes.NewBuffer(make([]byte, ehdrSize))
	for i, s := range f.Sections {
		h := &headers[i]
		if s.Type == elf.SHT_NULL {
			continue
		}
		for uint64(out.Len())%max(h.Addralign, 1) != 0 && h.Flags&uint64(elf.SHF_ALLOC) == 0 {
			out.WriteByte(0)
		}
		h.Off = uint64(out.Len())
		if s.Type == elf.SHT_NOBITS {
			continue
		}
		if s.Flags&elf.SHF_ALLOC != 0 && s.Name != ".eh_frame" && s.Name != ".eh_frame_hdr" {
			h.Type = uint32(elf.SHT_NOBITS)
			continue
		}
		if h.Size > uint64(len(linked)) {
			return nil, fmt.Errorf("section %s has %d bytes", s.Name, h.Size)
		}
		content := make([]byte, h.Size)
		// As it is in the file: not uncompressed.
		if _, err := s.ReaderAt.ReadAt(content, 0); err != nil && err != io.EOF {
			return nil, fmt.Errorf("read section %s: %w", s.Name, err)
		}
		out.Write(content)
		if i == int(names) {
			extra.Name = uint32(h.Size)
			n, _ := out.WriteString(symbols.SitesSection + "\x00")
			h.Size += uint64(n)
		}
	}
	extra.Off = uint64(out.Len())
	out.Write(lines)
	headers = append(headers, extra)
	for out.Len()%8 != 0 {
		out.WriteByte(0)
	}
	h := header(f)
	h.Shoff, h.Shentsize, h.Shnum, h.Shstrndx = uint64(out.Len()), shdrSize, uint16(len(headers)), names
	write(out, headers)
	var first bytes.Buffer
	write(&first, h)
	file := out.Bytes()
	copy(file, first.Bytes())
	return file, nil
}

// write appends a structure of fixed size as it is in an ELF file.
func write(b *bytes.Buffer, v any) {
	if err := binary.Write(b, binary.LittleEndian, v); err != nil {
		panic(err) // structures of debug/elf have a fixed size, and a Buffer takes all
	}
}

// readers returns files as what layout reads.
func readers(files []*os.File) []io.ReaderAt {
	list := make([]io.ReaderAt, len(files))
	for i, f := range files {
		list[i] = f
	}
	return list
}
