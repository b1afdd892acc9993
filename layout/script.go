package layout

import (
	"bytes"
	"fmt"

	"github.com/migrated/migrated/layout/region"
)

// Entry is the ELF entry point of every build, defined in a native object.
const Entry = "_start"

// LinkerScript returns the ld.lld script that puts a build's sections where the plan says.
// The script is the same for all builds: the plan's addresses are theirs in common, and what
// is a build's own follows. Native code finds the bounds of areas by the symbols that
// docs/runtime-abi.md lists.
func (p *Plan) LinkerScript() []byte {
	w := new(bytes.Buffer)
	fmt.Fprintf(w, "ENTRY(%s)\n", Entry)
	// p_flags: PF_R 4, PF_W 2, PF_X 1 (gABI, ch. 5 "Program Header").
	w.WriteString(`PHDRS {
  constants PT_LOAD FLAGS(4);
  text PT_LOAD FLAGS(5);
  own PT_LOAD FLAGS(4);
  private PT_LOAD FLAGS(6);
  portable PT_LOAD FLAGS(6);
  ehframe PT_GNU_EH_FRAME FLAGS(4);
  stack PT_GNU_STACK FLAGS(6);
}
SECTIONS {
`)
	p.pinnedSection(w, PinnedRodata, ".mig.rodata", region.TextBase, "constants", "")
	p.pinnedSection(w, PinnedText, ".mig.text", p.TextStart, "text", "__mig_text_start = .;")
	fmt.Fprintf(w, "  . = %#x;\n", p.TextEnd)
	// Resume functions run once a move: out of the way of the rest.
	w.WriteString(`  .text : {
    *(.text.resume .text.resume.*)
    *(.text .text.*)
    __mig_text_end = .;
  } :text
`)
	fmt.Fprintf(w, "  . = ALIGN(%d);\n", region.PageSize)
	w.WriteString(`  .rodata : { *(.rodata .rodata.*) } :own
  .gcc_except_table : { *(.gcc_except_table .gcc_except_table.*) } :own
  .got : { *(.got .got.* .data.DW.ref.*) } :own
  __mig_eh_frame_hdr_start = .;
  .eh_frame_hdr : { *(.eh_frame_hdr) } :own :ehframe
  __mig_eh_frame_hdr_end = .;
  .eh_frame : {
    __mig_eh_frame_start = .;
    KEEP(*(.eh_frame))
    LONG(0)
    __mig_eh_frame_end = .;
  } :own
`)
	fmt.Fprintf(w, "  . = %#x;\n  __mig_private_start = .;\n", region.PrivateBase)
	w.WriteString(`  .data : { *(.data .data.* .tm_clone_table) } :private
  .bss : { *(.bss .bss.* COMMON) } :private
  __mig_private_end = .;
`)
	p.pinnedSection(w, PinnedData, ".mig.data", region.StaticBase, "portable", "__mig_portable_start = .;")
	p.pinnedSection(w, PinnedBSS, ".mig.bss", region.PageUp(p.DataEnd), "portable", "")
	fmt.Fprintf(w, "  __mig_static_end = %#x;\n", p.StaticEnd)
	w.WriteString(`  /DISCARD/ : { *(.comment .note .note.* .llvm_addrsig .llvm.* .init_array.*) }
}
`)
	return w.Bytes()
}

// pinnedSection writes an output section that holds all slots of a kind at their addresses.
func (p *Plan) pinnedSection(w *bytes.Buffer, k Kind, name string, base uint64, phdr, first string) {
	fmt.Fprintf(w, "  %s %#x : {\n", name, base)
	if first != "" {
		fmt.Fprintf(w, "    %s\n", first)
	}
	for _, s := range p.Slots {
		if s.Kind == k {
			// lld takes an address here, where GNU ld takes an offset. A quoted pattern is a
			// name, not a glob.
			fmt.Fprintf(w, "    . = %#x; KEEP(*(\"%s%s\"))\n", s.Addr, k.prefix(), s.Name)
		}
	}
	fmt.Fprintf(w, "  } :%s\n", phdr)
}
