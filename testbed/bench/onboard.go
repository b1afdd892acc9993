package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/migrated/migrated/testbed/cluster"
	"github.com/migrated/migrated/testbed/qemu"
)

// boardHeaps are those that move to an emulated board, MiB. It is slow, and nothing is expected.
var boardHeaps = []int{16, 64}

func boardRow(size int, mode qemu.Mode) string {
	return fmt.Sprintf("board %d MiB %s", size, modeNames[mode])
}

// boarding measures moves of the heaps that linking has, to an emulated board.
func boarding(ctx context.Context, b *bench) error {
	wanted := slices.ContainsFunc(boardHeaps, func(size int) bool {
		return slices.ContainsFunc(heapModes, func(mode qemu.Mode) bool { return b.wants(boardRow(size, mode)) })
	})
	if b.noBoard || !wanted {
		return nil
	}
	c, home, err := b.startNode(ctx, b.heap(), "")
	if err != nil {
		return err
	}
	defer c.Close()
	there, err := startBoard(ctx, c, home)
	if err != nil {
		return err
	}
	if err := home.AwaitPeer(ctx, there.Name); err != nil {
		return err
	}
	for _, size := range boardHeaps {
		for _, mode := range heapModes {
			row := boardRow(size, mode)
			if !b.wants(row) {
				continue
			}
			if err := b.toBoard(ctx, home, there, row, qemu.Heap{MiB: size, Fill: qemu.Numbers, Mode: mode}); err != nil {
				return fmt.Errorf("%s: %w", row, err)
			}
		}
	}
	return nil
}

// startBoard boots an emulated board whose node dials home.
func startBoard(ctx context.Context, c *cluster.Cluster, home *cluster.Node) (*cluster.Node, error) {
	emulated, err := c.Boot(ctx, 1<<30)
	if err != nil {
		return nil, err
	}
	return emulated.Start(ctx, cluster.NodeConfig{Name: "bench-board", Peers: []cluster.Peer{home.Peer()}})
}

// toBoard moves one VM.
func (b *bench) toBoard(ctx context.Context, home, there *cluster.Node, row string, h qemu.Heap) error {
	v, err := b.runHeap(ctx, home, fmt.Sprintf("heap-%d-%s", h.MiB, modeNames[h.Mode]), h)
	if err != nil {
		return err
	}
	var m cluster.Move
	if err := home.JSON(ctx, &m, "offload", v.name, "--to", there.Name); err != nil {
		v.session.Kill()
		return err
	}
	t := moveTrial(&m)
	b.report.add(row+": downtime", milliseconds(t.down), "ms", t.note+"; "+m.Why)
	b.report.add(row+": time", t.total.Seconds(), "s", "")
	b.report.add(row+": sent", mebibytes(float64(m.WireBytes)), "MiB", "")
	return v.stop(ctx, home)
}
