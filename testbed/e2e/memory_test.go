package e2e

import (
	"context"
	"fmt"
	"testing"

	"github.com/migrated/migrated/testbed/cluster"
)

// filled is the line that the guest's fill command prints after a walk through mib MiB.
func filled(mib int) string {
	const values = (1<<20)/8 - 1 // of a block, behind its pointer
	blocks := make([][values]uint64, mib)
	x := uint64(88172645463325252)
	for i := range blocks {
		for k := range blocks[i] {
			x ^= x << 13
			x ^= x >> 7
			x ^= x << 17
			blocks[i][k] = x
		}
	}
	var sum uint64
	for i := range blocks { // the last one made is the first of the list
		for _, v := range blocks[mib-1-i] {
			sum = sum*31 + v
		}
	}
	return fmt.Sprintf("sum %016x", sum)
}

// fill starts a VM with mib MiB of data that do not compress.
func (f *fixture) fill(t *testing.T, ctx context.Context, home *cluster.Node, name string, mib int) *vm {
	t.Helper()
	return attached(t, ctx, home, name, "filled",
		"--memory", fmt.Sprintf("%dM", mib+32), f.guest, "--", "fill", fmt.Sprint(mib))
}

// verify has the program walk through its data: since its start it has done so n times.
func (v *vm) verify(mib, n int) {
	v.t.Helper()
	v.send("")
	if err := v.Stdout.AwaitLines(v.ctx, 1+n); err != nil {
		v.t.Fatalf("%v; standard error:\n%s", err, v.Stderr)
	}
	want := "filled\n"
	for range n {
		want += filled(mib) + "\n"
	}
	if got := v.Stdout.String(); got != want {
		v.t.Fatalf("it printed\n%swant\n%s", got, want)
	}
}

// A VM with 64 MiB of data has all of it at the board and after its return, which brings only what
// has changed.
func TestMuchData(t *testing.T) {
	f, ctx := begun(t)
	const mib = 64
	v := f.fill(t, ctx, f.server, "much", mib)
	v.offload("arm-board-1")
	v.verify(mib, 1)
	ctl(t, ctx, f.server, "recall", v.name)
	v.verify(mib, 2)
	v.Stdin.Close()
	v.end(0)
	moves := v.at("exited", "server-1").Moves
	if there := moves[0]; there.RawBytes < mib<<20 {
		t.Errorf("the first move carried %d bytes of %d MiB", there.RawBytes, mib)
	}
	if back := moves[1]; back.BasePages < mib<<20/4096 || back.WireBytes > moves[0].WireBytes/50 {
		t.Errorf("the return sent %d bytes and found %d pages; the first move sent %d", back.WireBytes, back.BasePages, moves[0].WireBytes)
	}
}

// Memory travels with each compression, there and back.
func TestCompression(t *testing.T) {
	f, ctx := begun(t)
	const mib = 2
	v := f.fill(t, ctx, f.server, "compressed", mib)
	codecs := []string{"none", "s2", "zstd"}
	for i, codec := range codecs {
		v.offload("arm-board-1", "--compress", codec)
		v.verify(mib, 2*i+1)
		ctl(t, ctx, f.server, "recall", v.name, "--compress", codec)
		v.verify(mib, 2*i+2)
	}
	v.Stdin.Close()
	v.end(0)
	moves := v.at("exited", "server-1").Moves
	if len(moves) != 2*len(codecs) {
		t.Fatalf("%d moves, want %d", len(moves), 2*len(codecs))
	}
	for i, m := range moves {
		if m.Compression != codecs[i/2] {
			t.Errorf("move %d: compression %q, want %q", i+1, m.Compression, codecs[i/2])
		}
	}
}

// A board without room refuses, and the VM goes on where it is.
func TestNoRoom(t *testing.T) {
	f, ctx := begun(t)
	v := attached(t, ctx, f.server, "large", "reading", "--memory", "1G", f.guest, "--", "read")
	refused(t, ctx, f.server, 1, "1 GiB of memory are wanted", "offload", v.name, "--to", "arm-board-1")
	v.send("still here")
	v.await("1: still here")
	v.at("running", "server-1")
	v.Stdin.Close()
	v.end(5)
}
