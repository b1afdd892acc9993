// Package e2e tests the whole: real daemons, here and on an emulated board, driven by the
// real migratectl.
package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/migrated/migrated/testbed/board"
	"github.com/migrated/migrated/testbed/cluster"
	"github.com/migrated/migrated/toolchain"
	"github.com/migrated/migrated/vmm/kvm/kvmtest"
)

// A fixture is what the tests of this package share.
type fixture struct {
	*cluster.Cluster
	server   *cluster.Node // here
	board    *cluster.Node // on the board; it has dialled the server
	emulated *cluster.Board
	guest    string // image of testdata/guest
	dir      string
}

var (
	cl    *cluster.Cluster // closed by TestMain
	begin = sync.OnceValues(start)
)

func TestMain(m *testing.M) {
	code := m.Run()
	if cl != nil {
		cl.Close()
	}
	os.Exit(code)
}

// start boots the board and starts the pair of nodes that most tests use.
func start() (f *fixture, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	if cl, err = cluster.New(); err != nil {
		return nil, err
	}
	f = &fixture{Cluster: cl, dir: cl.Dir()}
	if f.server, err = f.Start(ctx, cluster.NodeConfig{Name: "server-1"}); err != nil {
		return nil, err
	}
	if f.emulated, err = f.Boot(ctx, 0); err != nil {
		return nil, err
	}
	f.board, err = f.emulated.Start(ctx, cluster.NodeConfig{Name: "arm-board-1", Peers: []cluster.Peer{f.server.Peer()}})
	if err != nil {
		return nil, err
	}
	if err := f.server.AwaitPeer(ctx, "arm-board-1"); err != nil {
		return nil, err
	}
	f.guest, err = buildGuest(ctx, f.dir)
	return f, err
}

func buildGuest(ctx context.Context, dir string) (string, error) {
	sources, err := filepath.Glob("testdata/guest/*.c")
	if err != nil {
		return "", err
	}
	img := filepath.Join(dir, "guest.img")
	err = toolchain.Build(ctx, toolchain.Options{Sources: sources, CFlags: []string{"-O2", "-g"}, Output: img, Builds: toolchain.OnePerISA})
	if err != nil {
		return "", fmt.Errorf("build the guest: %w", err)
	}
	return img, nil
}

// begun returns the fixture and a context for one test.
func begun(t *testing.T) (*fixture, context.Context) {
	t.Helper()
	if testing.Short() {
		t.Skip("boots a board: not with -short")
	}
	kvmtest.Need(t)
	f, err := begin()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), 8*time.Minute, fmt.Errorf("%s takes too long", t.Name()))
	t.Cleanup(cancel)
	f.showLogs(t, f.server, f.board)
	return f, ctx
}

// showLogs prints what daemons log during this test, if it fails.
func (f *fixture) showLogs(t *testing.T, nodes ...*cluster.Node) {
	for _, n := range nodes {
		before := len(n.Log())
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("log of %s:\n%s", n.Name, n.Log()[before:])
			}
		})
	}
}

// start starts a node for this test alone.
func (f *fixture) start(t *testing.T, ctx context.Context, cfg cluster.NodeConfig) *cluster.Node {
	t.Helper()
	n, err := f.Start(ctx, cfg)
	check(t, err)
	t.Cleanup(n.Stop)
	f.showLogs(t, n)
	return n
}

// ctl runs migratectl and returns what it printed; it must succeed.
func ctl(t *testing.T, ctx context.Context, n *cluster.Node, args ...string) string {
	t.Helper()
	r, err := n.Ctl(ctx, args...)
	check(t, err)
	if r.Code != 0 {
		t.Fatalf("migratectl %q: status %d: %s", args, r.Code, r.Stderr)
	}
	return r.Stdout
}

// refused runs migratectl, which must end with a status and say why.
func refused(t *testing.T, ctx context.Context, n *cluster.Node, status int, why string, args ...string) {
	t.Helper()
	r, err := n.Ctl(ctx, args...)
	check(t, err)
	if r.Code != status || !strings.Contains(r.Stderr, why) {
		t.Errorf("migratectl %q: status %d, want %d; it says %q, want %q", args, r.Code, status, r.Stderr, why)
	}
}

// A vm is a program with its terminal: an attached `migratectl run`.
type vm struct {
	*cluster.Session
	t    *testing.T
	ctx  context.Context
	home *cluster.Node
	name string
}

// run runs a command of the guest attached, under a name, and waits until it has printed
// a first line.
func (f *fixture) run(t *testing.T, ctx context.Context, home *cluster.Node, name, line string, args ...string) *vm {
	t.Helper()
	return attached(t, ctx, home, name, line, append([]string{f.guest, "--"}, args...)...)
}

func attached(t *testing.T, ctx context.Context, home *cluster.Node, name, line string, args ...string) *vm {
	t.Helper()
	s, err := home.Session(append([]string{"run", "--name", name}, args...)...)
	check(t, err)
	t.Cleanup(s.Kill)
	v := &vm{Session: s, t: t, ctx: ctx, home: home, name: name}
	v.await(line)
	return v
}

// await waits until the program has printed a line.
func (v *vm) await(line string) {
	v.t.Helper()
	if err := v.Stdout.Await(v.ctx, line+"\n"); err != nil {
		v.t.Fatalf("%v; standard error:\n%s", err, v.Stderr)
	}
}

// send types a line.
func (v *vm) send(line string) {
	v.t.Helper()
	if _, err := fmt.Fprintln(v.Stdin, line); err != nil {
		v.t.Fatalf("type %q: %v", line, err)
	}
}

// end waits for the end of migratectl, whose status is the program's.
func (v *vm) end(status int) cluster.Result {
	v.t.Helper()
	r, err := v.Wait(v.ctx)
	check(v.t, err)
	if r.Code != status {
		v.t.Errorf("status %d, want %d; standard error:\n%s", r.Code, status, r.Stderr)
	}
	return r
}

// offload moves the VM.
func (v *vm) offload(to string, flags ...string) {
	v.t.Helper()
	ctl(v.t, v.ctx, v.home, append([]string{"offload", v.name, "--to", to}, flags...)...)
}

// at checks where the VM is, as its home sees it.
func (v *vm) at(state, node string) *cluster.VM {
	v.t.Helper()
	return at(v.t, v.ctx, v.home, v.name, state, node)
}

func at(t *testing.T, ctx context.Context, n *cluster.Node, name, state, node string) *cluster.VM {
	t.Helper()
	r, err := n.Inspect(ctx, name)
	check(t, err)
	if r.State != state || r.Node != node {
		t.Errorf("%s is %s on %s, want %s on %s", name, r.State, r.Node, state, node)
	}
	return r
}

// program builds a program of testbed/programs and returns its image. Where the toolchain has changed it takes long, so the caller does that before it looks at
// the time.
func program(t *testing.T, name string) string {
	t.Helper()
	root, err := board.Root()
	check(t, err)
	return strings.TrimSpace(command(t, t.Context(), root, filepath.Join(root, "testbed/programs", name)))
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
