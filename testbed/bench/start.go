package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/migrated/migrated/testbed/cluster"
)

// starts is how often a VM is started; the first time its image goes to the daemon.
const starts = 30

// betweenStarts lets a start's traces pass, the making of the next spare process among them.
const betweenStarts = 500 * time.Millisecond

// starting measures the time from the command to the program's first output, with a daemon
// that runs and has the image, and nothing else to do.
func starting(ctx context.Context, b *bench) error {
	if !b.wants("start") {
		return nil
	}
	c, n, err := b.startNode(ctx, b.hello(), "")
	if err != nil {
		return err
	}
	defer c.Close()
	var times []time.Duration
	for i := range starts + 1 {
		took, err := firstOutput(ctx, n, filepath.Join(b.dir, "hello.img"))
		if err != nil {
			return err
		}
		time.Sleep(betweenStarts)
		if i > 0 {
			times = append(times, took)
		}
	}
	slices.Sort(times)
	note := fmt.Sprintf("median of %d, one after the other; from %s to %s ms", len(times), number(milliseconds(times[0])), number(milliseconds(times[len(times)-1])))
	b.report.expect("start", milliseconds(times[len(times)/2]), "ms", 10, note)
	return nil
}

// firstOutput runs an image, attached, and returns when its first byte came.
func firstOutput(ctx context.Context, n *cluster.Node, image string) (time.Duration, error) {
	first := &firstWrite{began: time.Now()}
	s, err := n.SessionTo(first, nil, "run", image)
	if err != nil {
		return 0, err
	}
	s.Stdin.Close()
	r, err := s.Wait(ctx)
	if err == nil && (r.Code != 0 || first.took == 0) {
		err = fmt.Errorf("run ended with status %d: %s", r.Code, r.Stderr)
	}
	return first.took, err
}

// A firstWrite notes when it is first written to.
type firstWrite struct {
	began time.Time
	took  time.Duration
}

func (w *firstWrite) Write(p []byte) (int, error) {
	if w.took == 0 {
		w.took = time.Since(w.began)
	}
	return len(p), nil
}
