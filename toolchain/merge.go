package toolchain

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/migrated/migrated/isa"
)

// A pipeline is one link on its way. Its steps are those of docs/runtime-abi.md, "Stages".
type pipeline struct {
	*Toolchain
	ctx     context.Context
	link    *Link
	dir     string // scratch
	natives map[*isa.ISA]*native
	cores   *cores
}

// emitted lists the kernel's portable symbols that passes refer to: nothing names them while
// the program is merged. docs/runtime-abi.md, "Symbols".
var emitted = []string{
	"__mig_poll_slow", "__mig_result", "__mig_ssp", "__mig_ssp_limit", "__mig_stack_overflow", "__mig_tp", "__mig_epoch", "__mig_fid",
	"__mig_longjmp",
	"__mig_bulk_copy", "__mig_bulk_move", "__mig_bulk_fill", "__mig_bulk_compare",
}

// lowered lists the functions of libc that passes replace by the runtime's: libc has none.
var lowered = map[string]bool{
	"setjmp": true, "_setjmp": true, "sigsetjmp": true, "__sigsetjmp": true,
	"longjmp": true, "_longjmp": true, "siglongjmp": true,
}

// keep returns the symbols of the program that native code of some build refers to.
func (p *pipeline) keep() []string {
	set := make(map[string]bool)
	for _, n := range p.natives {
		for s := range n.needed {
			if !n.defined[s] {
				set[s] = true
			}
		}
	}
	for _, s := range emitted {
		set[s] = true
	}
	return sorted(set)
}

// merge links all bitcode into one module: archives are resolved as by any linker, and what
// stays undefined is reported as by any linker.
func (p *pipeline) merge() (string, error) {
	out := filepath.Join(p.dir, "merged.bc")
	args := []string{
		"-m", "elf64lriscv", "-static", "-nostdlib", "-e", "0",
		"--lto-emit-llvm", "--lto-O0", "--unresolved-symbols=ignore-all",
	}
	for _, s := range append(p.keep(), p.link.fpNeeds()...) {
		args = append(args, "-u", s)
	}
	files, err := p.always()
	if err != nil {
		return "", err
	}
	args = append(args, files...)
	for _, in := range p.link.Inputs {
		if in.Option != "" {
			args = append(args, in.Option)
		} else {
			args = append(args, in.Path)
			files = append(files, in.Path)
		}
	}
	if err := p.run(p.ctx, lld, append(args, p.libc(), "-o", out)...); err != nil {
		return "", err
	}
	missing, err := p.undefined(out)
	if err != nil {
		return "", err
	}
	if len(missing) == 0 {
		return out, nil
	}
	return out, p.undefinedError(out, missing, files)
}

// undefinedOptimised returns the symbols that are undefined once the merged program is optimised.
// Objects are not until they are merged, and programs rely on it that what can never be called
// needs no definition.
func (p *pipeline) undefinedOptimised(merged string) ([]string, error) {
	dir, err := p.transform(merged, optimised)
	if err != nil {
		return nil, err
	}
	return p.undefined(filepath.Join(dir, "portable.bc"))
}

// undefined returns the symbols that neither the merged program nor the native code of every
// build defines. A weak one may be undefined.
func (p *pipeline) undefined(bitcode string) ([]string, error) {
	var out bytes.Buffer
	if err := p.runTo(p.ctx, &out, nm, "--quiet", "--undefined-only", "--format=posix", bitcode); err != nil {
		return nil, err
	}
	var missing []string
	for line := range strings.Lines(out.String()) {
		// "name type ..."
		f := strings.Fields(line)
		if len(f) < 2 || f[1] != "U" {
			continue
		}
		// The bounds of a linker set are defined, or missed, by migrated-sets.
		bound := strings.HasPrefix(f[0], "__start_") || strings.HasPrefix(f[0], "__stop_")
		if !strings.HasPrefix(f[0], "__mig_") && !bound && !lowered[f[0]] && !p.isNative(f[0]) {
			missing = append(missing, f[0])
		}
	}
	sort.Strings(missing)
	return missing, nil
}

// definers returns the input files that define symbols. It is for messages: what cannot be read
// is left out.
func (p *pipeline) definers() map[string]string {
	args := []string{"--quiet", "--defined-only", "--format=posix", "--print-file-name"}
	for _, in := range p.link.Inputs {
		if in.Path != "" {
			args = append(args, in.Path)
		}
	}
	var out bytes.Buffer
	if err := p.runTo(p.ctx, &out, nm, args...); err != nil {
		return nil
	}
	files := make(map[string]string)
	for line := range strings.Lines(out.String()) {
		// as in undefinedError
		if i := strings.LastIndex(line, ": "); i >= 0 {
			if f := strings.Fields(line[i+1:]); len(f) > 0 {
				files[f[0]] = p.link.nameOf(line[:i])
			}
		}
	}
	return files
}

// isNative reports whether native objects of all builds define a symbol.
func (p *pipeline) isNative(symbol string) bool {
	for _, n := range p.natives {
		if !n.defined[symbol] {
			return false
		}
	}
	return true
}

// An UndefinedError lists the symbols that a program lacks.
type UndefinedError struct {
	Symbols []string
	By      map[string][]string // objects that refer to each symbol
}

func (e *UndefinedError) Error() string {
	var b strings.Builder
	for i, s := range e.Symbols {
		if i > 0 {
			b.WriteString("\nerror: ")
		}
		fmt.Fprintf(&b, "undefined symbol: %s", s)
		const most = 3
		for n, by := range e.By[s] {
			if n == most {
				fmt.Fprintf(&b, "\n>>> referenced %d more times", len(e.By[s])-most)
				break
			}
			fmt.Fprintf(&b, "\n>>> referenced by %s", by)
		}
	}
	return b.String()
}

// undefinedError finds out who refers to the missing symbols. Those that libc alone refers to
// are in members that lld takes because code generation might call them, and which are
// dropped later; if one were not, the link of the builds would fail. Whether others are
// called is known when the program is optimised.
func (p *pipeline) undefinedError(merged string, missing, files []string) error {
	e := &UndefinedError{By: make(map[string][]string)}
	lacks := make(map[string]bool)
	for _, s := range missing {
		lacks[s] = true
	}
	var out bytes.Buffer
	args := append([]string{"--quiet", "--undefined-only", "--format=posix", "--print-file-name"}, files...)
	if err := p.runTo(p.ctx, &out, nm, args...); err != nil {
		return err
	}
	for line := range strings.Lines(out.String()) {
		// "file: name type ...", with "archive[member]:" or "archive:member:" for an archive
		i := strings.LastIndex(line, ": ")
		if i < 0 {
			continue
		}
		if f := strings.Fields(line[i+1:]); len(f) >= 2 && f[1] == "U" && lacks[f[0]] {
			e.By[f[0]] = append(e.By[f[0]], p.link.nameOf(line[:i]))
		}
	}
	for _, s := range missing {
		if len(e.By[s]) > 0 {
			e.Symbols = append(e.Symbols, s)
		}
	}
	if len(e.Symbols) == 0 {
		return nil
	}
	called, err := p.undefinedOptimised(merged)
	if err != nil {
		return err
	}
	e.Symbols = slices.DeleteFunc(e.Symbols, func(s string) bool { return !slices.Contains(called, s) })
	if len(e.Symbols) == 0 {
		return nil
	}
	return e
}
