package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/migrated/migrated/testbed/cluster"
)

// dataSizes are those of the VMs that are moved, MiB.
var dataSizes = []int{16, 64, 256}

// keepNothing has each move be as the first one is.
const keepNothing = "keep_memory = \"0\"\n"

// moving measures moves of VMs to a second node here and to an emulated board.
func moving(ctx context.Context, b *bench) error {
	here, board := b.wantsMove("here"), b.wantsMove("board") && !b.noBoard
	if !here && !board {
		return nil
	}
	c, home, err := b.startNode(ctx, b.local("data"), keepNothing)
	if err != nil {
		return err
	}
	defer c.Close()
	if here {
		there, err := c.Start(ctx, cluster.NodeConfig{Name: "bench-2", Config: keepNothing, Peers: []cluster.Peer{home.Peer()}})
		if err != nil {
			return err
		}
		if err := b.moves(ctx, home, there, "here", b.runs); err != nil {
			return err
		}
	}
	if !board {
		return nil
	}
	there, err := startBoard(ctx, c, home)
	if err != nil {
		return err
	}
	return b.moves(ctx, home, there, "board", 1) // an emulated processor is slow, and the board keeps memory of what has left
}

func moveRow(where string, size int) string { return fmt.Sprintf("move %s %d MiB", where, size) }

func (b *bench) wantsMove(where string) bool {
	return slices.ContainsFunc(dataSizes, func(size int) bool { return b.wants(moveRow(where, size)) })
}

// moves moves one VM of each size to a node and back, as often as rounds says; the fastest move
// counts. After the first one the node has the image.
func (b *bench) moves(ctx context.Context, home, there *cluster.Node, where string, rounds int) error {
	if err := home.AwaitPeer(ctx, there.Name); err != nil {
		return err
	}
	for _, size := range dataSizes {
		row := moveRow(where, size)
		if !b.wants(row) {
			continue
		}
		name := fmt.Sprintf("data-%s-%d", where, size)
		s, err := home.Session("run", "--name", name, "--memory", fmt.Sprintf("%dM", size+16),
			filepath.Join(b.dir, "data.img"), "--", strconv.Itoa(size))
		if err != nil {
			return err
		}
		if err := s.Stdout.Await(ctx, "ready"); err != nil {
			return err
		}
		var out, back cluster.Move
		for range rounds {
			if err := fastest(ctx, home, &out, "offload", name, "--to", there.Name); err != nil {
				return err
			}
			if err := fastest(ctx, home, &back, "recall", name); err != nil {
				return err
			}
		}
		b.report.add(row+" downtime", milliseconds(out.Downtime), "ms", moveNote(&out))
		b.report.add(row+" sent", mebibytes(float64(out.WireBytes)), "MiB",
			fmt.Sprintf("%d pages; MiB by codec: none %.0f, s2 %.0f, zstd %.0f", out.SentPages,
				mebibytes(float64(out.Codecs.None)), mebibytes(float64(out.Codecs.S2)), mebibytes(float64(out.Codecs.Zstd))))
		b.report.add(row+" back downtime", milliseconds(back.Downtime), "ms", moveNote(&back))
		if _, err := home.Ctl(ctx, "stop", name); err != nil {
			return err
		}
		s.Stdin.Close()
		if _, err := s.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// fastest runs a move, and keeps its account if it had less downtime than the one before.
func fastest(ctx context.Context, n *cluster.Node, best *cluster.Move, args ...string) error {
	var m cluster.Move
	if err := n.JSON(ctx, &m, args...); err != nil {
		return err
	}
	if best.Downtime == 0 || m.Downtime < best.Downtime {
		*best = m
	}
	return nil
}

func moveNote(m *cluster.Move) string {
	ms := func(d float64) string { return number(d) }
	return fmt.Sprintf("quiesce %s, transfer %s, verify %s, start %s ms",
		ms(milliseconds(m.Quiesce)), ms(milliseconds(m.Transfer)), ms(milliseconds(m.Verify)), ms(milliseconds(m.Start)))
}
