package e2e

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/migrated/migrated/testbed/board"
	"github.com/migrated/migrated/testbed/cluster"
)

// command runs a program of this machine in a directory and returns what it printed.
func command(t *testing.T, ctx context.Context, dir, path string, args ...string) string {
	t.Helper()
	var errs strings.Builder
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir, cmd.Stderr = dir, &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", path, args, err, errs.String())
	}
	return string(out)
}

// Lua goes to the board and comes back in the middle of its work, and prints what Debian's
// own Lua prints.
func TestLua(t *testing.T) {
	lua := program(t, "lua")
	f, ctx := begun(t)
	root, err := board.Root()
	check(t, err)
	script := filepath.Join(root, "examples/lua/fannkuch.lua")
	want := command(t, ctx, root, "lua5.4", script, "11", "200")

	ctl(t, ctx, f.server, "run", "--detach", "--name", "fannkuch",
		"--file", script+":/fannkuch.lua", lua, "--", "/fannkuch.lua", "11", "200")
	logs, err := f.server.Session("logs", "--follow", "fannkuch")
	check(t, err)
	defer logs.Kill()
	check(t, logs.Stdout.Await(ctx, "  1%"))
	ctl(t, ctx, f.server, "offload", "fannkuch", "--to", "arm-board-1")
	away := at(t, ctx, f.server, "fannkuch", "away", "arm-board-1")
	if away.ISA != "aarch64" {
		t.Errorf("the build that runs on the board is for %q", away.ISA)
	}
	at(t, ctx, f.board, "fannkuch", "running", "arm-board-1")
	var listed []cluster.VM
	check(t, f.server.JSON(ctx, &listed, "ps"))
	if len(listed) != 1 || listed[0].Name != "fannkuch" || listed[0].State != "away" || listed[0].Home != "server-1" {
		t.Errorf("ps -o json says %+v", listed)
	}
	// The first line after the move may have been on its way; the second is the board's.
	there := strings.Count(logs.Stdout.String(), "\n")
	check(t, logs.Stdout.AwaitLines(ctx, there+2))
	ctl(t, ctx, f.server, "recall", "fannkuch")
	ctl(t, ctx, f.server, "wait", "fannkuch")

	followed, err := logs.Wait(ctx)
	check(t, err)
	if followed.Stdout != want {
		t.Errorf("logs --follow printed\n%s\nwant\n%s", followed.Stdout, want)
	}
	if got := ctl(t, ctx, f.server, "logs", "fannkuch"); got != want {
		t.Errorf("logs printed\n%s\nwant\n%s", got, want)
	}
	v := at(t, ctx, f.server, "fannkuch", "exited", "server-1")
	if v.Exit == nil || v.Exit.Code != 0 {
		t.Errorf("exit %+v, want status 0", v.Exit)
	}
	if len(v.Moves) != 2 || len(v.Stays) != 3 {
		t.Fatalf("%d moves and %d stays, want 2 and 3", len(v.Moves), len(v.Stays))
	}
	for i, ends := range [][2]string{{"server-1", "arm-board-1"}, {"arm-board-1", "server-1"}} {
		m := v.Moves[i]
		if m.From != ends[0] || m.To != ends[1] {
			t.Errorf("move %d from %s to %s, want %v", i+1, m.From, m.To, ends)
		}
		// A page that was written while others were sent is sent again.
		if m.Frames == 0 || m.SentPages == 0 || m.ZeroPages >= m.Pages || m.RawBytes == 0 {
			t.Errorf("move %d carried %+v", i+1, m)
		}
	}
	for i, node := range []string{"server-1", "arm-board-1", "server-1"} {
		s := v.Stays[i]
		if s.Node != node || s.LogEnd == nil || *s.LogEnd <= s.LogStart {
			t.Errorf("stay %d is %+v, want one on %s with output", i+1, s, node)
		}
	}
	if !strings.Contains(ctl(t, ctx, f.server, "ps", "--all"), "fannkuch") {
		t.Error("ps --all does not list it")
	}
}
