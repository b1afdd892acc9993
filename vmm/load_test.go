package vmm_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/hostabi"
	"github.com/migrated/migrated/vmm/vmmtest"
)

// executable is a build of segments alone; the first has the entry point at its start.
func executable(progs ...elf.Prog64) *image.Build {
	header := elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT),
		Phoff: 64, Ehsize: 64, Phentsize: 56, Shentsize: 64, Phnum: uint16(len(progs)),
	}
	if len(progs) > 0 {
		header.Entry = progs[0].Vaddr
	}
	var b bytes.Buffer
	binary.Write(&b, binary.LittleEndian, header)
	binary.Write(&b, binary.LittleEndian, progs)
	b.Write(make([]byte, 0x1000))
	return &image.Build{ISA: isa.X86_64, Exec: b.Bytes()}
}

// segment has 16 bytes of content at offset 0x200 of the file.
func segment(addr, size uint64, flags elf.ProgFlag) elf.Prog64 {
	return elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: uint32(flags), Off: 0x200, Vaddr: addr, Filesz: 16, Memsz: size}
}

func TestLoad(t *testing.T) {
	const rx, ro, rw = elf.PF_R | elf.PF_X, elf.PF_R, elf.PF_R | elf.PF_W
	text := segment(hostabi.TextBase, 0x1000, rx)
	p, err := vmm.Load(executable(
		text,
		segment(hostabi.PortableBase+0x10, 0x5000, rw),
		segment(hostabi.TextBase+0x1000, 0x800, ro),
		segment(hostabi.PrivateBase, 0x800, rw),
	), vmmtest.Memory)
	if err != nil {
		t.Fatal(err)
	}
	if p.Entry != hostabi.TextBase || len(p.Segments) != 4 {
		t.Fatalf("%+v", p)
	}
	last := p.Segments[3]
	if start, size := last.Pages(); !last.Portable() || start != hostabi.PortableBase || size != 0x6000 || len(last.Data) != 16 {
		t.Errorf("portable segment %+v: pages %#x, +%#x", last, start, size)
	}
	short := text
	short.Filesz = 0x2000
	far := text
	far.Off = 1 << 60
	for want, progs := range map[string][]elf.Prog64{
		"entry point":      nil,
		"of the file":      {short},
		"offset 0x1000":    {far},
		"outside of text":  {text, segment(0x1000, 16, rw)},
		"reach beyond":     {text, segment(hostabi.PortableBase+vmmtest.Memory-16, 17, rw)},
		"too small":        {text, segment(hostabi.PrivateBase, 1<<40, rw)},
		"flags PF_W+PF_R":  {text, segment(hostabi.TextBase+0x2000, 16, rw)},
		"flags PF_X+PF_W":  {text, segment(hostabi.PortableBase, 16, rw|rx)},
		"shares a page":    {text, segment(hostabi.TextBase+0xfff, 16, ro)},
		"in no executable": {segment(hostabi.TextBase, 0x1000, ro)},
	} {
		if _, err := vmm.Load(executable(progs...), vmmtest.Memory); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
	other := *executable(text)
	other.ISA = isa.AArch64
	if _, err := vmm.Load(&other, vmmtest.Memory); err == nil || !strings.Contains(err.Error(), "EM_AARCH64") {
		t.Errorf("a build of another ISA: %v", err)
	}
}

// FuzzLoad: an error, or segments that lie where a guest has memory, apart from each other.
func FuzzLoad(f *testing.F) {
	f.Add(executable(segment(hostabi.TextBase, 0x1000, elf.PF_R|elf.PF_X), segment(hostabi.PortableBase, 0x5000, elf.PF_R|elf.PF_W)).Exec)
	f.Fuzz(func(t *testing.T, file []byte) {
		p, err := vmm.Load(&image.Build{ISA: isa.X86_64, Exec: file}, vmmtest.Memory)
		if err != nil {
			return
		}
		end := vmm.GuestVirt(hostabi.TextBase)
		for i := range p.Segments {
			s := &p.Segments[i]
			start, size := s.Pages()
			if start < end || size > hostabi.PortableBase+vmmtest.Memory-uint64(start) || uint64(len(s.Data)) > s.MemSize {
				t.Fatalf("segment %d: %#x, +%#x behind %#x", i, start, size, end)
			}
			end = start + vmm.GuestVirt(size)
		}
	})
}
