package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/migrated/migrated/testbed/board"
	"github.com/migrated/migrated/testbed/child"
	"github.com/migrated/migrated/testbed/cluster"
	"github.com/migrated/migrated/vmm/kvm"
)

// What is run: flips of all permutations of eleven things, which takes some twenty seconds here;
// the emulated board takes about as many for ten lines.
const (
	script     = "examples/lua/fannkuch.lua"
	vm         = "fannkuch"
	here       = "server-1"
	there      = "arm-board-1"
	linesHere  = 3 // before the program leaves
	linesThere = 3 // before it is called back
)

// arguments of the script: how many things, and how many lines to print meanwhile.
var arguments = []string{"11", "200"}

// errDiffers is a program that did not end as it does elsewhere.
var errDiffers = errors.New("the outcome differs")

// A demo is what the steps share.
type demo struct {
	*printer
	cluster       *cluster.Cluster
	image         string // path of the program's image, from the repository's root
	server, board *cluster.Node
	log           *cluster.Session // migratectl logs --follow
	outcome
}

func run(ctx context.Context, p *printer) error {
	root, err := board.Root()
	if err != nil {
		return err
	}
	if err := os.Chdir(root); err != nil { // so that commands show short paths
		return err
	}
	if err := kvm.Available(); err != nil {
		return err
	}
	c, err := cluster.New()
	if err != nil {
		return err
	}
	defer c.Close()
	d := &demo{printer: p, cluster: c}
	p.line("A Lua program crosses from this x86-64 machine to an ARM board, in the middle of its work,\nand comes back.")
	for _, s := range []struct {
		title string
		do    func(context.Context) error
	}{
		{"Build Lua 5.4 from Debian's source package, unmodified, with its own makefile", d.buildLua},
		{"Start node " + here + " on this machine", d.startServer},
		{"Boot an emulated ARM board and start node " + there + " on it", d.startBoard},
		{"Run " + script + " on " + here, d.runProgram},
		{"Offload it to " + there + ": it goes on there", d.offload},
		{"Recall it to " + here + ": it goes on here, to its end", d.recall},
		{"Compare with Debian's own lua5.4 on the same script", d.compare},
	} {
		if err := p.step(s.title, func() error { return s.do(ctx) }); err != nil {
			return err
		}
	}
	for i := range d.record.Moves {
		d.timeline(i+1, &d.record.Moves[i])
	}
	err = d.verdict()
	p.line(indent+"All of the demo took %s.", seconds(time.Since(p.begin)))
	return err
}

// buildLua builds the image, or finds that this toolchain has built it before.
func (d *demo) buildLua(ctx context.Context) error {
	d.command("testbed/programs/lua")
	d.note("(a minute or so the first time, and whenever the compiler has changed)")
	out := cluster.NewOutput(nil)
	cmd := exec.Command("testbed/programs/lua")
	cmd.Stdout, cmd.Stderr = out, d.prefixed("| ")
	p, err := child.Start(cmd)
	if err != nil {
		return err
	}
	select {
	case <-p.Done():
	case <-ctx.Done():
		p.Kill()
		return ctx.Err()
	}
	if err := p.Wait(); err != nil {
		return fmt.Errorf("build Lua: %w", err)
	}
	d.image, err = fromHere(strings.TrimSpace(out.String()))
	if err != nil {
		return err
	}
	d.note("one image with two builds: %s", d.image)
	return nil
}

func (d *demo) startServer(ctx context.Context) (err error) {
	d.server, err = d.cluster.Start(ctx, cluster.NodeConfig{Name: here})
	if err != nil {
		return err
	}
	d.shown(d.server.Args...)
	d.command("export", "MIGRATED_SOCKET="+d.server.Socket)
	return nil
}

func (d *demo) startBoard(ctx context.Context) error {
	b, err := d.cluster.Boot(ctx, 0)
	if err != nil {
		return err
	}
	d.note("Debian's arm64 kernel runs under QEMU, with a KVM of its own; on it:")
	d.board, err = b.Start(ctx, cluster.NodeConfig{Name: there, Peers: []cluster.Peer{d.server.Peer()}})
	if err != nil {
		return err
	}
	for _, e := range d.board.Enrolments {
		d.command(e.Token...)
		d.note("  | on the board:")
		d.shown(e.Join...)
	}
	d.shown(d.board.Args...)
	if err := d.server.AwaitPeer(ctx, there); err != nil {
		return err
	}
	return d.ctl(ctx, "nodes")
}

// shown prints a command that has run, without the directory of the binaries.
func (d *demo) shown(args ...string) {
	program := args[0][strings.LastIndexByte(args[0], '/')+1:]
	d.command(append([]string{program}, args[1:]...)...)
}

func (d *demo) runProgram(ctx context.Context) (err error) {
	run := []string{"run", "--detach", "--name", vm, "--file", script + ":/fannkuch.lua", d.image, "--", "/fannkuch.lua"}
	err = d.ctl(ctx, append(run, arguments...)...)
	if err != nil {
		return err
	}
	follow := []string{"logs", "--follow", vm}
	d.command(append([]string{"migratectl"}, follow...)...)
	d.log, err = d.server.SessionTo(d.prefixed("lua | "), d.prefixed("lua (error) | "), follow...)
	if err != nil {
		return err
	}
	return d.log.Stdout.AwaitLines(ctx, linesHere)
}

func (d *demo) offload(ctx context.Context) error {
	if err := d.ctl(ctx, "offload", vm, "--to", there); err != nil {
		return err
	}
	if err := d.ctl(ctx, "ps"); err != nil {
		return err
	}
	return d.log.Stdout.AwaitLines(ctx, strings.Count(d.log.Stdout.String(), "\n")+linesThere)
}

func (d *demo) recall(ctx context.Context) error {
	if err := d.ctl(ctx, "recall", vm); err != nil {
		return err
	}
	if err := d.ctl(ctx, "wait", vm); err != nil {
		return err
	}
	_, err := d.log.Wait(ctx)
	return err
}

// ctl runs migratectl at the server and shows the command and what it prints. It must
// succeed.
func (d *demo) ctl(ctx context.Context, args ...string) error {
	d.command(append([]string{"migratectl"}, args...)...)
	s, err := d.server.SessionTo(d.prefixed("  "), d.prefixed("  "), args...)
	if err != nil {
		return err
	}
	r, err := s.Wait(ctx)
	if err == nil && r.Code != 0 {
		err = fmt.Errorf("migratectl %s ended with status %d", args[0], r.Code)
	}
	return err
}
