package e2e

import (
	"strings"
	"testing"

	"github.com/migrated/migrated/testbed/cluster"
)

// Moves work whichever side has dialled: here the server has, by the board's forwarded port.
// The program was started on the board, which was sent the image by its operator.
func TestServerDials(t *testing.T) {
	f, ctx := begun(t)
	server := f.start(t, ctx, cluster.NodeConfig{Name: "dialler", Peers: []cluster.Peer{f.board.Peer()}})
	check(t, server.AwaitPeer(ctx, f.board.Name))
	for _, home := range []*cluster.Node{server, f.board} {
		other := f.board
		if home == f.board {
			other = server
		}
		check(t, home.AwaitPeer(ctx, other.Name))
		v := f.run(t, ctx, home, "from-"+home.Name, "reading", "read")
		v.offload(other.Name)
		v.send("away")
		v.await("1: away")
		v.at("away", other.Name)
		ctl(t, ctx, home, "recall", v.name)
		v.send("back")
		v.await("2: back")
		v.Stdin.Close()
		v.end(5)
	}
}

// Two nodes of this machine move a VM between them, and a third node's VM can go from the
// one where it is to another.
func TestNodesHere(t *testing.T) {
	f, ctx := begun(t)
	second := f.start(t, ctx, cluster.NodeConfig{Name: "second", Peers: []cluster.Peer{f.server.Peer(), f.board.Peer()}})
	check(t, f.server.AwaitPeer(ctx, "second"))
	check(t, second.AwaitPeer(ctx, f.board.Name))
	v := f.run(t, ctx, f.server, "traveller", "reading", "read")
	for i, node := range []string{"second", "arm-board-1", "server-1", "second"} {
		v.offload(node)
		v.send(node)
		v.await(string(rune('1'+i)) + ": " + node)
	}
	r := v.at("away", "second")
	if len(r.Moves) != 4 {
		t.Errorf("%d moves, want 4", len(r.Moves))
	}
	if out := ctl(t, ctx, f.board, "ps"); strings.Contains(out, "traveller") {
		t.Errorf("the board has what has left it:\n%s", out)
	}
	v.Stdin.Close()
	v.end(5)
}

// A command that cannot be carried out says why, and changes nothing.
func TestRefused(t *testing.T) {
	f, ctx := begun(t)
	v := f.run(t, ctx, f.server, "taken", "reading", "read")
	refused(t, ctx, f.server, 1, `unknown node: nowhere`, "offload", "taken", "--to", "nowhere")
	refused(t, ctx, f.server, 1, `unknown VM "nobody"`, "offload", "nobody", "--to", "arm-board-1")
	refused(t, ctx, f.server, 1, `unknown VM "nobody"`, "recall", "nobody")
	refused(t, ctx, f.server, 1, `unknown VM "nobody"`, "stop", "nobody")
	refused(t, ctx, f.server, 125, `unknown VM "nobody"`, "wait", "nobody")
	refused(t, ctx, f.server, 2, `unknown flag: --fast`, "offload", "taken", "--fast")
	refused(t, ctx, f.server, 125, `unknown flag: --fast`, "run", "--fast", f.guest)
	refused(t, ctx, f.server, 125, `the name "taken" is taken`, "run", "--name", "taken", f.guest)
	refused(t, ctx, f.server, 125, `not a valid image`, "run", "testdata/guest/main.c")
	v.send("unharmed")
	v.await("1: unharmed")
	v.at("running", "server-1")
	v.Stdin.Close()
	v.end(5)
}
