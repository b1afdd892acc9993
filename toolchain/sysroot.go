package toolchain

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"sort"

	"github.com/migrated/migrated/isa"
)

// always returns the bitcode objects that are part of every program.
func (t *Toolchain) always() ([]string, error) {
	return filepath.Glob(filepath.Join(t.Sysroot, "lib", "*.o"))
}

// libc returns the archive that every program is linked with.
func (t *Toolchain) libc() string { return filepath.Join(t.Sysroot, "lib", "libc.a") }

// A native is what is linked into the builds of one ISA beside the program.
type native struct {
	objects  []string // always
	archives []string // as needed
	defined  map[string]bool
	needed   map[string]bool // undefined in objects
}

// native reads the native objects of an ISA, from its directories of these names.
func (t *Toolchain) native(i *isa.ISA, names ...string) (*native, error) {
	var objects []string
	for _, name := range names {
		dir := filepath.Join(t.Sysroot, "lib", i.Name, name)
		found, err := filepath.Glob(filepath.Join(dir, "*.o"))
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("no native objects in %s; run make in migrated's source tree", dir)
		}
		objects = append(objects, found...)
	}
	n := &native{objects: objects, defined: make(map[string]bool), needed: make(map[string]bool)}
	for _, name := range []string{"libgcc_eh.a", "libgcc.a"} {
		path := filepath.Join(i.GccLibDir, name)
		if !isFile(path) {
			return nil, fmt.Errorf("%s is missing; scripts/setup of migrated's source tree installs it", path)
		}
		n.archives = append(n.archives, path)
	}
	for _, path := range objects {
		if err := n.read(path); err != nil {
			return nil, fmt.Errorf("read native object %s: %w", path, err)
		}
	}
	return n, nil
}

func (n *native) read(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	f, err := elf.NewFile(bytes.NewReader(content))
	if err != nil {
		return err
	}
	symbols, err := f.Symbols()
	if err != nil {
		return err
	}
	for _, s := range symbols {
		switch {
		case elf.ST_BIND(s.Info) == elf.STB_LOCAL:
		case s.Section == elf.SHN_UNDEF:
			n.needed[s.Name] = true
		default:
			n.defined[s.Name] = true
		}
	}
	return nil
}

// key adds everything native to a key.
func (n *native) key(k *Key) {
	for _, path := range append(append([]string(nil), n.objects...), n.archives...) {
		k.Strings(path)
		k.File(path)
	}
}

func sorted(set map[string]bool) []string {
	list := make([]string, 0, len(set))
	for s := range set {
		list = append(list, s)
	}
	sort.Strings(list)
	return list
}
