package toolchain

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A ForeignError says that an input of a link was not made by migratecc.
type ForeignError struct {
	File string // path, with the member in parentheses for an archive
	What string // what it is instead
}

func (e *ForeignError) Error() string {
	return fmt.Sprintf("%s: %s; compile its source with migratecc", e.File, e.What)
}

// checkInput refuses a file that is not an object or an archive of objects of ours. What a link takes
// from it goes into key.
func checkInput(path string, key *Key) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read input: %w", err)
	}
	key.Bytes(content)
	switch {
	case bytes.HasPrefix(content, []byte("!<arch>\n")):
		return checkArchive(path, content, false, key)
	case bytes.HasPrefix(content, []byte("!<thin>\n")):
		return checkArchive(path, content, true, key)
	}
	return checkObject(path, content)
}

// checkObject refuses what is not bitcode that migrated-check has marked.
func checkObject(name string, content []byte) error {
	switch {
	case bytes.HasPrefix(content, []byte("BC\xc0\xde")):
		// LLVM Bitcode File Format, "Magic Numbers". Strings in metadata lie in the file as
		// they are.
		if bytes.Contains(content, []byte(unitMark)) {
			return nil
		}
		return &ForeignError{name, "bitcode of another compiler, or of another version of migratecc"}
	case bytes.HasPrefix(content, []byte(elf.ELFMAG)):
		return &ForeignError{name, describeELF(content)}
	case len(content) == 0:
		return &ForeignError{name, "the file is empty"}
	case len(content) > 262 && string(content[257:262]) == "ustar": // POSIX pax, "ustar Interchange Format"
		return &ForeignError{name, "a tar archive (an image?), not an object"}
	}
	return &ForeignError{name, "not an object, nor an archive of objects"}
}

func describeELF(content []byte) string {
	f, err := elf.NewFile(bytes.NewReader(content))
	if err != nil {
		return "a damaged ELF file"
	}
	machine := strings.ToLower(strings.TrimPrefix(f.Machine.String(), "EM_"))
	switch f.Type {
	case elf.ET_DYN:
		return "a shared library for " + machine + ", but an image is linked statically"
	case elf.ET_EXEC:
		return "an executable for " + machine
	}
	return "an object of native code for " + machine + ", which cannot migrate"
}

// checkArchive refuses an archive that has a member that is not ours. Archives are in the
// common format of System V and GNU: ar(5), "struct ar_hdr".
func checkArchive(path string, content []byte, thin bool, key *Key) error {
	const header = 60
	damaged := errors.New("damaged archive " + path)
	var names []byte // the table of long names
	for rest := content[8:]; len(rest) > 0; {
		if len(rest) < header || rest[58] != '`' || rest[59] != '\n' {
			return damaged
		}
		name := strings.TrimRight(string(rest[:16]), " ")
		size, err := strconv.Atoi(strings.TrimSpace(string(rest[48:58])))
		rest = rest[header:]
		if err != nil || size < 0 {
			return damaged
		}
		special := name == "/" || name == "/SYM64/" || name == "//"
		inside := !thin || special
		var body []byte
		if inside {
			if size > len(rest) {
				return damaged
			}
			body = rest[:size]
			rest = rest[min(size+size%2, len(rest)):]
		}
		switch {
		case name == "//":
			names = body
		case special:
		default:
			name, err := memberName(name, names)
			if err != nil {
				return damaged
			}
			if thin {
				// The member is a file beside the archive.
				if body, err = os.ReadFile(filepath.Join(filepath.Dir(path), name)); err != nil {
					return fmt.Errorf("read member of %s: %w", path, err)
				}
				key.Bytes(body)
			}
			if err := checkObject(path+"("+name+")", body); err != nil {
				return err
			}
		}
	}
	return nil
}

// memberName resolves "/offset" in the table of long names, and "name/".
func memberName(name string, names []byte) (string, error) {
	if len(name) > 1 && name[0] == '/' {
		offset, err := strconv.Atoi(name[1:])
		if err != nil || offset < 0 || offset >= len(names) {
			return "", errors.New("no such name")
		}
		name, _, _ = strings.Cut(string(names[offset:]), "\n")
	}
	return strings.TrimSuffix(name, "/"), nil
}
