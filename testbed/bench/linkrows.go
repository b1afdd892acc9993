package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/migrated/migrated/testbed/cluster"
	"github.com/migrated/migrated/testbed/qemu"
)

// rounds is how often the moves of a row are made, those of a comparison in turn.
func (r *rig) rounds(mib int) int {
	if mib > heapSizes[0] {
		return 1 // they take long, and what disturbs them is less of it
	}
	return min(r.b.runs, 2)
}

// compare moves a heap by ours and by QEMU's means.
func (r *rig) compare(ctx context.Context, name string, h qemu.Heap) error {
	var c comparison
	for range r.rounds(h.MiB) {
		ours, err := r.fresh(ctx, h)
		if err != nil {
			return err
		}
		plain, err := r.qemu(ctx, h, false)
		if err != nil {
			return err
		}
		zstd, err := r.qemu(ctx, h, true)
		if err != nil {
			return err
		}
		c.ours, c.plain, c.zstd = append(c.ours, ours), append(c.plain, plain), append(c.zstd, zstd)
	}
	c.report(r.b.report, name)
	return nil
}

// qemuLimit is how long a move of QEMU's may take.
const qemuLimit = 2 * time.Minute

// qemu moves a new machine of QEMU's.
func (r *rig) qemu(ctx context.Context, h qemu.Heap, zstd bool) (trial, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, qemuLimit, errors.New("QEMU takes too long"))
	defer cancel()
	cfg := qemu.Config{Firmware: r.firmware, Heap: h, Network: r.pair.A}
	from, err := qemu.Start(cfg)
	if err != nil {
		return trial{}, err
	}
	defer from.Stop()
	cfg.Network, cfg.Incoming = r.pair.B, true
	to, err := qemu.Start(cfg)
	if err != nil {
		return trial{}, err
	}
	defer to.Stop()
	if err := from.Await(ctx, "ready\n"); err != nil {
		return trial{}, err
	}
	time.Sleep(settle)
	if err := warm(h.MiB); err != nil {
		return trial{}, err
	}
	t, err := r.count(r.pair.A, func() (trial, error) {
		a, err := from.Migrate(ctx, to, r.pair.B.Address, qemu.Options{Downtime: downtimeLimit, Zstd: zstd})
		return qemuTrial(a), err
	})
	if err == nil && h.Mode != qemu.Idle {
		err = to.Await(ctx, ".") // it goes on
	}
	return t, err
}

// downtime measures a way to move, asked for.
func (r *rig) downtime(ctx context.Context, name string, size int, way string) error {
	var ts []trial
	for range r.rounds(size) {
		t, err := r.fresh(ctx, qemu.Heap{MiB: size, Fill: qemu.Numbers, Mode: qemu.Read}, "--mode", way)
		if err != nil {
			return err
		}
		ts = append(ts, t)
	}
	t := best(ts)
	r.b.report.expect(name+": downtime", milliseconds(t.down), "ms", 5, t.String())
	return nil
}

// What is expected of a move's rate, bytes a second.
const (
	randomRate = 500e6
	zerosRate  = 1e9
)

// payload is the share of an Ethernet link's bytes that is a TCP connection's data: packets of 1500
// bytes have 14 bytes in front, and 52 bytes of headers.
const payload = 1448.0 / 1514

// rateRounds is how many moves there are of which the fastest counts: they are short, and the same one
// takes up to twice as long when the machine's host is slow to give memory.
const rateRounds = 3

// rate measures how fast the memory of an idle VM moves: on a link that has a rate, against
// its payload, and otherwise by itself.
func (r *rig) rate(ctx context.Context, name string, fill qemu.Fill) error {
	const size = 512
	h := qemu.Heap{MiB: size, Fill: fill, Mode: qemu.Idle}
	var bytesPerSecond float64
	var note string
	for range min(r.b.runs, rateRounds) {
		t, used, err := r.freshUsed(ctx, h)
		if err != nil {
			return err
		}
		if rate := size << 20 / t.total.Seconds(); rate > bytesPerSecond {
			bytesPerSecond, note = rate, fmt.Sprintf("%v, %.1f s of CPU for a GB", t, used.Seconds()/(size<<20/1e9))
		}
	}
	plain, plainUsed, err := r.pump(ctx)
	if err != nil {
		return err
	}
	var peer trial
	for n := range min(r.b.runs, rateRounds) {
		t, err := r.qemu(ctx, h, false)
		if err != nil {
			return err
		}
		if n == 0 || t.total < peer.total {
			peer = t
		}
	}
	note = fmt.Sprintf("%.0f MB/s: %s; TCP alone %.0f MB/s, %.1f s; QEMU %.0f MB/s", bytesPerSecond/1e6, note,
		plain/1e6, plainUsed*1e9, size<<20/peer.total.Seconds()/1e6)
	switch {
	case r.wire.rate > 0:
		r.b.report.expectLeast(name+" / link's", bytesPerSecond/(float64(r.wire.rate)/8*payload), "", 0.9, note)
	case fill == qemu.Zeros:
		r.b.report.expectLeast(name, bytesPerSecond/1e6, "MB/s", zerosRate/1e6, note)
	default:
		r.b.report.expectLeast(name, bytesPerSecond/1e6, "MB/s", randomRate/1e6, note)
	}
	return nil
}

// freshUsed is fresh, with the processor time that the move took at both ends: another load of the
// machine changes it little.
func (r *rig) freshUsed(ctx context.Context, h qemu.Heap) (t trial, used time.Duration, err error) {
	v, err := r.startVM(ctx, h)
	if err != nil {
		return t, 0, err
	}
	before, err := r.cluster.ProcessorTime()
	if err != nil {
		return t, 0, err
	}
	if t, err = r.offload(ctx, v); err != nil {
		v.session.Kill()
		return t, 0, err
	}
	after, err := r.cluster.ProcessorTime()
	return t, after - before, errors.Join(err, v.stop(ctx, r.home))
}

// back measures what the return of a VM takes that has changed a hundredth of its pages.
func (r *rig) back(ctx context.Context, name string) error {
	v, err := r.startVM(ctx, qemu.Heap{MiB: 512, Fill: qemu.Numbers, Mode: qemu.Idle})
	if err != nil {
		return err
	}
	out, err := r.offload(ctx, v)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(v.session.Stdin); err != nil {
		return err
	}
	if err := v.session.Stdout.Await(ctx, "changed"); err != nil {
		return err
	}
	back, err := r.count(r.pair.B, func() (trial, error) {
		var m cluster.Move
		err := r.home.JSON(ctx, &m, "recall", v.name)
		return moveTrial(&m), err
	})
	if err != nil {
		return err
	}
	r.b.report.expect(name+": bytes / first move's", float64(back.bytes)/float64(out.bytes), "", 0.02,
		fmt.Sprintf("%v / %v", back, out))
	return v.stop(ctx, r.home)
}
