package board_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/migrated/migrated/testbed/board"
)

func TestBoard(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	root, err := board.Root()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir() + "/probe"
	if err := board.BuildARM64(root, "./testbed/board/testdata/probe", bin); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	b, err := board.Start(ctx, board.Config{Files: map[string]string{"/bin/probe": bin}, Console: testWriter{t}})
	if err != nil {
		t.Fatal(err)
	}
	t.Log("booted in ", time.Since(start))
	defer b.Stop()
	var out, errs bytes.Buffer
	status, err := b.Run(ctx, &out, &errs, "/bin/probe", "status", "3")
	t.Logf("%d %v %q %q", status, err, out.String(), errs.String())
	start = time.Now()
	if err := b.Stop(); err != nil {
		t.Fatal(err)
	}
	t.Log("stopped in ", time.Since(start))
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}
