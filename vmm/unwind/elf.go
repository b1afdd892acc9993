package unwind

import (
	"bytes"
	"debug/elf"
	"fmt"
)

// FromELF reads the call frame information of a build from its debug file.
func FromELF(file []byte) (t *Table, err error) {
	defer func() {
		// debug/elf does not promise to withstand hostile files.
		if p := recover(); p != nil {
			t, err = nil, fmt.Errorf("debug file is corrupt: %v", p)
		}
	}()
	f, err := elf.NewFile(bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("read the debug file: %w", err)
	}
	s := f.Section(".eh_frame")
	if s == nil || s.Type == elf.SHT_NOBITS {
		return nil, fmt.Errorf("the debug file has no .eh_frame section")
	}
	b, err := s.Data()
	if err != nil {
		return nil, fmt.Errorf("read .eh_frame: %w", err)
	}
	return Parse(b, s.Addr)
}
