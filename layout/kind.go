package layout

import (
	"debug/elf"
	"fmt"
	"strings"
)

// A Kind says what a section of a relocatable ELF file is to the planner.
type Kind uint8

const (
	Ignored       Kind = iota // not loaded: debug information, notes
	PinnedRodata              // .mig.rodata.*: one address in all builds
	PinnedText                // .mig.text.*
	PinnedData                // .mig.data.*: portable, initialised
	PinnedBSS                 // .mig.bss.*: portable, zero
	PrivateText               // text of one build
	PrivateRodata             // constants and unwind tables of one build
	PrivateData               // data and bss of native objects
)

// pinned lists the kinds that have one address in all builds, in the order of their addresses.
var pinned = [...]Kind{PinnedRodata, PinnedText, PinnedData, PinnedBSS}

// prefix of the section names of a pinned kind; the rest of the name is the symbol's.
func (k Kind) prefix() string {
	switch k {
	case PinnedRodata:
		return ".mig.rodata."
	case PinnedText:
		return ".mig.text."
	case PinnedData:
		return ".mig.data."
	case PinnedBSS:
		return ".mig.bss."
	}
	return ""
}

func (k Kind) String() string {
	switch k {
	case Ignored:
		return "ignored"
	case PinnedRodata:
		return "rodata"
	case PinnedText:
		return "text"
	case PinnedData:
		return "data"
	case PinnedBSS:
		return "bss"
	case PrivateText:
		return "private text"
	case PrivateRodata:
		return "private rodata"
	case PrivateData:
		return "private data"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// classify says what a section is, or why an image cannot hold it.
func classify(h *elf.SectionHeader) (Kind, error) {
	if h.Flags&elf.SHF_ALLOC == 0 || h.Type == elf.SHT_NOTE {
		return Ignored, nil
	}
	for _, k := range pinned {
		if strings.HasPrefix(h.Name, k.prefix()) {
			return k, checkFlags(h, k)
		}
	}
	switch {
	case strings.HasPrefix(h.Name, ".mig."):
		return 0, fmt.Errorf("section %s is of no known pinned kind", h.Name)
	case h.Flags&elf.SHF_TLS != 0:
		return 0, fmt.Errorf("section %s holds native thread-locals, which an image cannot have", h.Name)
	case h.Type == elf.SHT_INIT_ARRAY, h.Type == elf.SHT_FINI_ARRAY, h.Type == elf.SHT_PREINIT_ARRAY,
		strings.HasPrefix(h.Name, ".ctors"), strings.HasPrefix(h.Name, ".dtors"):
		return 0, fmt.Errorf("section %s holds native constructors, which an image cannot have", h.Name)
	case h.Flags&elf.SHF_EXECINSTR != 0:
		if h.Flags&elf.SHF_WRITE != 0 {
			return 0, fmt.Errorf("section %s is writable and executable", h.Name)
		}
		return PrivateText, nil
	case strings.HasPrefix(h.Name, ".data.DW.ref."):
		return PrivateRodata, nil // the personality's address, for unwind tables; never written
	case h.Flags&elf.SHF_WRITE != 0:
		return PrivateData, nil
	}
	return PrivateRodata, nil
}

func checkFlags(h *elf.SectionHeader, k Kind) error {
	const access = elf.SHF_WRITE | elf.SHF_EXECINSTR | elf.SHF_TLS
	want, nobits := elf.SHF_WRITE, false
	switch k {
	case PinnedRodata:
		want = 0
	case PinnedText:
		want = elf.SHF_EXECINSTR
	case PinnedBSS:
		nobits = true
	}
	if h.Flags&access != want {
		return fmt.Errorf("section %s has flags %v, which do not fit its name", h.Name, h.Flags)
	}
	if nobits != (h.Type == elf.SHT_NOBITS) && h.Size != 0 {
		return fmt.Errorf("section %s has type %v, which does not fit its name", h.Name, h.Type)
	}
	return nil
}
