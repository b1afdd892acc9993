package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/migrated/migrated/testbed/cluster"
)

// A terminal stays attached over the end of its daemon, killed or stopped: what is typed
// meanwhile arrives once, and nothing that the program prints is lost or shown twice.
func TestTerminalOutlivesDaemon(t *testing.T) {
	f, ctx := begun(t)
	n := f.start(t, ctx, cluster.NodeConfig{Name: "reborn", Peers: []cluster.Peer{f.server.Peer()}})
	check(t, n.AwaitPeer(ctx, f.server.Name))
	v := f.run(t, ctx, n, "typed-to", "reading", "read")
	want := []string{"reading"}
	say := func(text string) {
		v.send(text)
		want = append(want, fmt.Sprintf("%d: %s", len(want), text))
	}
	for i, end := range []func(*cluster.Node){(*cluster.Node).Kill, (*cluster.Node).Stop, (*cluster.Node).Kill} {
		away := i == 2
		if away {
			v.offload(f.server.Name)
		}
		for k := range 300 { // some are on their way when it ends
			if say(fmt.Sprintf("line %d", k)); k == 150 {
				end(n)
			}
		}
		n = f.start(t, ctx, cluster.NodeConfig{Name: n.Name})
		v.await(want[len(want)-1])
	}
	v.Stdin.Close()
	r := v.end(5)
	if got := r.Stdout; got != strings.Join(want, "\n")+"\nend of input\n" {
		t.Errorf("it printed\n%s", got)
	}
	if n := strings.Count(r.Stderr, "attached to typed-to again"); n != 3 {
		t.Errorf("it was attached %d times again, want 3:\n%s", n, r.Stderr)
	}
}
