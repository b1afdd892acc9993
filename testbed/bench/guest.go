package main

import (
	"bytes"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/node/host"
	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/kvm"
)

// A guest is a VM in this process.
type guest struct {
	*vmm.Guest
	machine vmm.Machine // below it

	mu  sync.Mutex
	out [3]bytes.Buffer // by stream
}

// newGuest makes a VM on KVM that runs an image's best build for this machine.
func newGuest(m *image.Image, memory uint64, script string, args ...string) (*guest, error) {
	build, err := buildHere(m)
	if err != nil {
		return nil, err
	}
	g := &guest{}
	cfg := vmm.Config{
		Spec: vmm.Spec{Image: m.Config(), Build: build, Memory: memory},
		Args: append([]string{m.Config().Name}, args...),
		Machine: func(s vmm.Spec) (vmm.Machine, error) {
			var err error
			g.machine, err = kvm.New(s)
			return g.machine, err
		},
		Output: func(s vmm.Stream, p []byte) {
			g.mu.Lock()
			g.out[s].Write(p)
			g.mu.Unlock()
		},
	}
	if script != "" {
		text, err := os.ReadFile(script)
		if err != nil {
			return nil, err
		}
		cfg.Files = []vmm.File{{Path: guestScript, Mode: 0o644, Data: text}}
		cfg.Args = append([]string{m.Config().Name, guestScript}, args...)
	}
	g.Guest, err = vmm.New(cfg)
	return g, err
}

// newTouchedGuest makes one all of whose memory is there: what first touches cost is not
// measured with it.
func newTouchedGuest(m *image.Image, memory uint64, script string, args ...string) (*guest, error) {
	g, err := newGuest(m, memory, script, args...)
	if err != nil {
		return nil, err
	}
	if err := unix.Madvise(g.Memory(), unix.MADV_POPULATE_WRITE); err != nil {
		g.Close()
		return nil, fmt.Errorf("touch the guest's memory: %w", err)
	}
	return g, nil
}

// buildHere returns the build that runs best on this machine.
func buildHere(m *image.Image) (*image.Build, error) {
	h, err := host.Detect()
	if err != nil {
		return nil, err
	}
	return m.Build(h.ISA.Name, h.Levels)
}

// guestScript is where a guest finds its script.
const guestScript = "/script"

// stream returns what the guest has printed.
func (g *guest) stream(s vmm.Stream) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.out[s].String()
}
