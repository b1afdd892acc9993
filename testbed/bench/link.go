package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/migrated/migrated/testbed/cluster"
	"github.com/migrated/migrated/testbed/netns"
	"github.com/migrated/migrated/testbed/qemu"
)

// A wire is a kind of link between two machines.
type wire struct {
	name string
	rate int64 // bits a second; 0: what this machine carries
}

// wires are those that moves are measured on. A round trip of those that have a rate takes
// slowness longer than on this machine.
var wires = []wire{{"1G", 1e9}, {"10G", 10e9}, {"free", 0}}

const slowness = 200 * time.Microsecond

var (
	heapSizes = []int{64, 512} // MiB
	largeHeap = 2048           // with -all
	heapModes = []qemu.Mode{qemu.Idle, qemu.Read, qemu.Write}
	modeNames = map[qemu.Mode]string{qemu.Idle: "idle", qemu.Read: "read", qemu.Write: "write"}
)

// downtimeLimit is what either side may take.
const downtimeLimit = 30 * time.Millisecond

// linking measures moves between two networks with a link of a given rate, beside moves of the
// same heap by QEMU.
func linking(ctx context.Context, b *bench) error {
	var wanted []func(context.Context, *rig) error
	for _, w := range wires {
		wanted = append(wanted, b.linkRows(w)...)
	}
	if len(wanted) == 0 {
		return nil
	}
	r, err := newRig(ctx, b)
	if err != nil {
		return err
	}
	defer r.close()
	for _, f := range wanted {
		if err := f(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// linkRows returns what makes the rows of a link that are asked for.
func (b *bench) linkRows(w wire) []func(context.Context, *rig) error {
	var all []func(context.Context, *rig) error
	add := func(name string, f func(context.Context, *rig, string) error) {
		if b.wants(name) {
			all = append(all, func(ctx context.Context, r *rig) error {
				if err := r.use(w); err != nil {
					return err
				}
				if err := f(ctx, r, name); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
				return nil
			})
		}
	}
	add("link "+w.name+" random rate", func(ctx context.Context, r *rig, name string) error { return r.rate(ctx, name, qemu.Random) })
	if w.rate == 0 {
		add("link free zeros rate", func(ctx context.Context, r *rig, name string) error { return r.rate(ctx, name, qemu.Zeros) })
		add("link free return", func(ctx context.Context, r *rig, name string) error { return r.back(ctx, name) })
	}
	sizes := slices.Clone(heapSizes)
	if b.all {
		sizes = append(sizes, largeHeap)
	}
	for _, size := range sizes {
		for _, way := range []string{"precopy", "postcopy"} {
			if w.rate == 0 {
				add(fmt.Sprintf("link free %d MiB read %s", size, way), func(ctx context.Context, r *rig, name string) error {
					return r.downtime(ctx, name, size, way)
				})
			}
		}
		for _, mode := range heapModes {
			add(fmt.Sprintf("link %s %d MiB %s", w.name, size, modeNames[mode]), func(ctx context.Context, r *rig, name string) error {
				return r.compare(ctx, name, qemu.Heap{MiB: size, Fill: qemu.Numbers, Mode: mode})
			})
		}
	}
	return all
}

// A rig is two networks with a daemon in each.
type rig struct {
	b           *bench
	pair        *netns.Pair
	cluster     *cluster.Cluster
	home, there *cluster.Node
	firmware    string // of QEMU's machines
	wire        wire   // in use
	vms         int    // started so far
}

func newRig(ctx context.Context, b *bench) (*rig, error) {
	if _, err := b.image(ctx, b.heap()); err != nil {
		return nil, err
	}
	r := &rig{b: b}
	if err := r.start(ctx); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *rig) start(ctx context.Context) error {
	var err error
	if r.firmware, err = qemu.BuildFirmware(r.b.root, r.b.dir); err != nil {
		return err
	}
	if r.pair, err = netns.New(); err != nil {
		return err
	}
	if r.cluster, err = cluster.New(); err != nil {
		return err
	}
	if r.home, err = r.cluster.Start(ctx, cluster.NodeConfig{Name: "link-1", Network: r.pair.A}); err != nil {
		return err
	}
	r.there, err = r.cluster.Start(ctx, cluster.NodeConfig{Name: "link-2", Network: r.pair.B, Peers: []cluster.Peer{r.home.Peer()}})
	if err != nil {
		return err
	}
	return r.home.AwaitPeer(ctx, r.there.Name)
}

func (r *rig) close() {
	if r.cluster != nil {
		r.cluster.Close()
	}
	if r.pair != nil {
		r.pair.Close()
	}
}

// use has the link be of a kind.
func (r *rig) use(w wire) error {
	r.wire = w
	if err := r.pair.Shape(w.rate); err != nil {
		return err
	}
	if w.rate == 0 {
		r.pair.Hurry()
		return nil
	}
	// Memory flows from A, so what comes from B is little.
	return r.pair.Slow(r.pair.B, slowness)
}

// A heapVM is a VM of ours that has filled its heap.
type heapVM struct {
	name    string
	session *cluster.Session
}

// heap is the program of such a VM.
func (b *bench) heap() *program {
	return &program{name: "heap", sources: []string{filepath.Join(b.root, "testbed/qemu/guest/heap.c")}}
}

// runHeap starts a VM on a node and waits until its heap is full.
func (b *bench) runHeap(ctx context.Context, n *cluster.Node, name string, h qemu.Heap) (*heapVM, error) {
	s, err := n.Session("run", "--name", name, "--memory", fmt.Sprintf("%dM", h.MiB+16), filepath.Join(b.dir, "heap.img"),
		"--", strconv.Itoa(h.MiB), strconv.Itoa(int(h.Fill)), strconv.Itoa(int(h.Mode)))
	if err != nil {
		return nil, err
	}
	if err := s.Stdout.Await(ctx, "ready"); err != nil {
		s.Kill()
		return nil, fmt.Errorf("%w: %s", err, s.Stderr)
	}
	return &heapVM{name, s}, nil
}

// stop ends the VM, wherever it is.
func (v *heapVM) stop(ctx context.Context, n *cluster.Node) error {
	if r, err := n.Ctl(ctx, "stop", v.name); err != nil || r.Code != 0 {
		v.session.Kill()
		return fmt.Errorf("stop %s: %v %s", v.name, err, r.Stderr)
	}
	v.session.Stdin.Close()
	_, err := v.session.Wait(ctx)
	return err
}

// settle is how long a VM runs before it is moved. It reads and writes by then as it does for ever. And two
// seconds after memory has been freed, as that of the move before, a virtual machine gives what is free back to
// its host (free page reporting): that is not to happen in the middle of a move, whose target would wait for each
// page.
const settle = 2500 * time.Millisecond

// startVM starts one at home.
func (r *rig) startVM(ctx context.Context, h qemu.Heap) (*heapVM, error) {
	r.vms++
	v, err := r.b.runHeap(ctx, r.home, fmt.Sprintf("heap-%d", r.vms), h)
	if err == nil {
		time.Sleep(settle)
		err = warm(h.MiB)
	}
	return v, err
}

// offload moves a VM to the other network.
func (r *rig) offload(ctx context.Context, v *heapVM, flags ...string) (trial, error) {
	return r.count(r.pair.A, func() (t trial, err error) {
		var m cluster.Move
		err = r.home.JSON(ctx, &m, append([]string{"offload", v.name, "--to", r.there.Name}, flags...)...)
		return moveTrial(&m), err
	})
}

// count adds to a move the bytes that have left a network in its time.
func (r *rig) count(from *netns.Namespace, f func() (trial, error)) (trial, error) {
	before, err := from.Sent()
	if err != nil {
		return trial{}, err
	}
	t, err := f()
	if err != nil {
		return trial{}, err
	}
	after, err := from.Sent()
	t.bytes = after - before
	return t, err
}

// fresh moves a new VM once.
func (r *rig) fresh(ctx context.Context, h qemu.Heap, flags ...string) (trial, error) {
	v, err := r.startVM(ctx, h)
	if err != nil {
		return trial{}, err
	}
	t, err := r.offload(ctx, v, flags...)
	if err != nil {
		v.session.Kill()
		return trial{}, err
	}
	return t, v.stop(ctx, r.home)
}
