package vmm_test

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/tender"
	"github.com/migrated/migrated/vmm/vmmtest"
)

// A console keeps a guest's output.
type console struct {
	mu     sync.Mutex
	change *sync.Cond
	out    [3]bytes.Buffer // by stream
	log    []string
}

func newConsole() *console {
	c := &console{}
	c.change = sync.NewCond(&c.mu)
	return c
}

func (c *console) output(s vmm.Stream, p []byte) {
	c.mu.Lock()
	c.out[s].Write(p)
	c.change.Broadcast()
	c.mu.Unlock()
}

func (c *console) stdout() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.out[vmm.Stdout].String()
}

// await blocks until the guest has printed text.
func (c *console) await(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !strings.Contains(c.out[vmm.Stdout].String(), text) {
		c.change.Wait()
	}
}

// A bench makes guests of one image.
type bench struct {
	config *image.Config
	builds map[*isa.ISA]*image.Build
}

// newBench returns the bench; the first test that asks compiles the guest for all.
func newBench(t *testing.T) *bench {
	sharedBench.once.Do(func() {
		config, builds := vmmtest.Guest(t, isa.X86_64, isa.AArch64)
		sharedBench.bench = &bench{config, map[*isa.ISA]*image.Build{}}
		for _, build := range builds {
			sharedBench.bench.builds[build.ISA] = build
		}
	})
	if sharedBench.bench == nil {
		t.Fatal("the guest was not compiled")
	}
	return sharedBench.bench
}

var sharedBench struct {
	once  sync.Once
	bench *bench
}

func (b *bench) guest(t *testing.T, a *isa.ISA, c *console, resume bool, args ...string) *vmm.Guest {
	t.Helper()
	g, err := vmm.New(vmm.Config{
		Spec:    vmm.Spec{Image: b.config, Build: b.builds[a], Memory: vmmtest.Memory, Resume: resume},
		Args:    append([]string{"guest"}, args...),
		Machine: tender.New,
		Output:  c.output,
		Log:     func(s string) { c.log = append(c.log, s) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}

func (b *bench) start(t *testing.T, a *isa.ISA, c *console, args ...string) *vmm.Guest {
	t.Helper()
	g := b.guest(t, a, c, false, args...)
	check(t, g.Start(nil))
	return g
}

// move takes a quiesced guest to a new machine.
func (b *bench) move(t *testing.T, from *vmm.Guest, left *vmm.Left, to *isa.ISA, c *console) *vmm.Guest {
	t.Helper()
	g := b.guest(t, to, c, true)
	copy(g.Memory(), from.Memory())
	check(t, from.Close())
	check(t, g.Start(left))
	return g
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func quiesce(t *testing.T, g *vmm.Guest) *vmm.Left {
	t.Helper()
	left, err := g.Quiesce(context.Background())
	check(t, err)
	return left
}

func wait(t *testing.T, g *vmm.Guest) vmm.Exit {
	t.Helper()
	<-g.Done()
	e := g.Exit()
	if e.Crash != nil {
		t.Logf("crash: %+v", *e.Crash)
	}
	return e
}

var isas = []*isa.ISA{isa.X86_64, isa.AArch64}
