package kvm_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/hostabi"
	"github.com/migrated/migrated/vmm/kvm"
	"github.com/migrated/migrated/vmm/vmmtest"
)

// A board has no compiler: there the guests are files.
var guestDir = flag.String("guests", "", "directory of guests that were built before")

// A guest is a program for tests.
type guest struct {
	name   string
	config *image.Config
	build  *image.Build
}

// program returns the guest of vmmtest ("vmmtest") or of testdata ("probe") for an ISA.
func program(t testing.TB, name string, a *isa.ISA) *guest {
	t.Helper()
	if *guestDir != "" {
		return readGuest(t, name, a)
	}
	if g, ok := built.Load(name + a.Name); ok {
		return g.(*guest)
	}
	g := &guest{name: name}
	var builds []*image.Build
	switch name {
	case "vmmtest":
		g.config, builds = vmmtest.Guest(t, a)
	default:
		g.config, builds = vmmtest.Build(t, filepath.Join("testdata", name), a)
	}
	g.build = builds[0]
	built.Store(name+a.Name, g)
	return g
}

// built has the guests that were compiled already, by name and ISA.
var built sync.Map

// write leaves a guest's files in a directory, for read, and returns their names.
func (g *guest) write(t testing.TB, dir string) []string {
	t.Helper()
	config, err := json.Marshal(g.config)
	check(t, err)
	var names []string
	for ext, data := range map[string][]byte{".json": config, ".exec": g.build.Exec, ".debug": g.build.Debug} {
		name := g.name + ext
		check(t, os.WriteFile(filepath.Join(dir, name), data, 0o644))
		names = append(names, name)
	}
	return names
}

func readGuest(t testing.TB, name string, a *isa.ISA) *guest {
	t.Helper()
	read := func(ext string) []byte {
		data, err := os.ReadFile(filepath.Join(*guestDir, name+ext))
		check(t, err)
		return data
	}
	g := &guest{name: name, config: new(image.Config)}
	check(t, json.Unmarshal(read(".json"), g.config))
	g.build = &image.Build{Info: g.config.Builds[0], ISA: a, Exec: read(".exec"), Debug: read(".debug")}
	return g
}

// hostISA is that of the guests that can run here.
func hostISA() *isa.ISA { return isa.ByOCI(runtime.GOARCH) }

// needKVM skips a test on a machine without KVM, but not where it ought to be: on CI, and on
// our boards.
func needKVM(t testing.TB) {
	t.Helper()
	err := kvm.Available()
	if err == nil {
		return
	}
	if !errors.Is(err, vmm.ErrNoKVM) || os.Getenv("CI") != "" || *guestDir != "" {
		t.Fatal(err)
	}
	t.Skip(err)
}

// A machine is a Machine that runs the probe.
type machine struct {
	*kvm.Machine
	ctl    *hostabi.Ctl
	result []byte // what the probe found
}

const probeMemory = 4 << 20

func newProbe(t testing.TB, g *guest, what uint64, args ...uint64) *machine {
	t.Helper()
	m, err := kvm.New(vmm.Spec{Image: g.config, Build: g.build, Memory: probeMemory})
	check(t, err)
	t.Cleanup(func() { check(t, m.Close()) })
	page, err := m.At(hostabi.CtlBase, hostabi.PageSize)
	check(t, err)
	p := &machine{Machine: m.(*kvm.Machine)}
	p.ctl, err = hostabi.CtlAt(page)
	check(t, err)
	p.ctl.Arg[0] = what
	copy(p.ctl.Arg[1:], args)
	p.result = m.Portable()[symbol(t, g, "result")-hostabi.PortableBase:]
	return p
}

// symbol returns the address of a guest's variable or function.
func symbol(t testing.TB, g *guest, name string) uint64 {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(g.build.Debug))
	check(t, err)
	symbols, err := f.Symbols()
	check(t, err)
	for _, s := range symbols {
		if s.Name == name {
			return s.Value
		}
	}
	t.Fatalf("guest %s has no symbol %s", g.name, name)
	return 0
}

// value returns a 64-bit word of the probe's result.
func (m *machine) value(n int) uint64 { return binary.LittleEndian.Uint64(m.result[8*n:]) }

// progress reads how far a spinning probe is.
func (m *machine) progress() uint64 {
	return atomic.LoadUint64((*uint64)(unsafe.Pointer(unsafe.SliceData(m.result))))
}

func (m *machine) run(t testing.TB, want vmm.StopKind) vmm.Stop {
	t.Helper()
	s, err := m.Run()
	check(t, err)
	if s.Kind != want {
		t.Fatalf("stop %+v %+v, want kind %d", s, s.Fault, want)
	}
	return s
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
