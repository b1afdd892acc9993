// Package vmmtest builds a guest without a kernel for tests of what runs guests.
package vmmtest

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/vmm/hostabi"
)

// Memory suits the guest, bytes.
const Memory = 4 << 20

// Guest builds the guest of vmm/vmmtest/guest for each ISA.
func Guest(t testing.TB, isas ...*isa.ISA) (*image.Config, []*image.Build) {
	t.Helper()
	return Build(t, filepath.Join(here(), "guest"), isas...)
}

// Image is an image file of the guest, with a build for each ISA.
func Image(t testing.TB) []byte {
	t.Helper()
	cfg, builds := Guest(t, isa.X86_64, isa.AArch64)
	m, err := image.New(&image.Contents{
		ABI: hostabi.Version, Name: "guest", StaticEnd: (cfg.StaticEnd + hostabi.PageSize - 1) &^ (hostabi.PageSize - 1),
		Sites: []byte("none\n"), Layout: []byte(`{"builds":[],"symbols":[],"end":1073741824}` + "\n"), Builds: builds,
	})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Build builds a guest from the C files of a directory, for each ISA. Among its symbols is
// static_end, from guest.ld. A compiler that is missing fails the test: scripts/setup
// installs it.
func Build(t testing.TB, dir string, isas ...*isa.ISA) (*image.Config, []*image.Build) {
	t.Helper()
	config := &image.Config{
		ABI: hostabi.Version, Name: "guest", LayoutHash: "sha256:" + image.Digest(strings.Repeat("0", 64)),
		PortableBase: hostabi.PortableBase,
	}
	var builds []*image.Build
	for _, a := range isas {
		debug := compile(t, dir, a)
		stripped := filepath.Join(t.TempDir(), "guest.stripped")
		run(t, "llvm-strip-19", "--strip-all", "-o", stripped, debug)
		b := &image.Build{ISA: a, Exec: read(t, stripped), Debug: read(t, debug)}
		b.Info = image.BuildInfo{ISA: a.Name, Level: a.Levels[0].Name, Exec: digest(b.Exec), Debug: digest(b.Debug)}
		config.Builds = append(config.Builds, b.Info)
		config.StaticEnd = max(config.StaticEnd, Symbol(t, b.Debug, "static_end"))
		builds = append(builds, b)
	}
	return config, builds
}

// compile links one build at the contract's addresses. Static variables are laid out alike
// for both ISAs, for all have the same types and no section is garbage-collected.
func compile(t testing.TB, dir string, a *isa.ISA) string {
	out := filepath.Join(t.TempDir(), "guest."+a.Name)
	sources, err := filepath.Glob(filepath.Join(dir, "*.c"))
	if err != nil || len(sources) == 0 {
		t.Fatalf("no sources in %s: %v", dir, err)
	}
	args := append([]string{
		"--target=" + a.Triple, "-march=" + a.Levels[0].March, "-O1", "-g", "-ffreestanding", "-nostdlib", "-static",
		"-fno-stack-protector", "-fno-pic", "-fno-builtin", "-fasynchronous-unwind-tables", "-fno-optimize-sibling-calls",
		"-nostdlibinc", "-ffunction-sections",
		"-Wall", "-Werror", "-I", filepath.Join(here(), "../../kernel/include"),
		"-fuse-ld=/usr/bin/ld.lld-19", "-Wl,-T," + filepath.Join(here(), "guest/guest.ld"), "-o", out,
	}, a.CodeGen...)
	run(t, "clang-19", append(args, sources...)...)
	return out
}

// here returns the directory of this file.
func here() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(file)
}

func run(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func digest(b []byte) image.Digest {
	return image.Digest(fmt.Sprintf("sha256:%x", sha256.Sum256(b)))
}

// Symbol returns the value of a symbol of an ELF file.
func Symbol(t testing.TB, file []byte, name string) uint64 {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	syms, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range syms {
		if s.Name == name {
			return s.Value
		}
	}
	t.Fatalf("no symbol %s", name)
	return 0
}
