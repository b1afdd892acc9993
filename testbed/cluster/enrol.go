package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/migrated/migrated/testbed/child"
)

// operator is who the cluster is for its nodes where it reaches them by TCP.
const operator = "tester"

// A pair is two that are enrolled with each other: who joined, and whose token it had.
type pair struct{ joined, issuer string }

// enrolled says whether two are enrolled with each other already.
func (c *Cluster) enrolled(p pair) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pairs[p] || c.pairs[pair{p.issuer, p.joined}]
}

func (c *Cluster) setEnrolled(p pair) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pairs[p] = true
}

// node finds the last node that was started under a name.
func (c *Cluster) node(name string) (*Node, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range slices.Backward(c.nodes) {
		if n.Name == name {
			return n, nil
		}
	}
	return nil, fmt.Errorf("enrol with %s: there is no such node", name)
}

// An Enrolment is how a node was enrolled with another: two commands, the first one's output
// the second one's input.
type Enrolment struct{ Token, Join []string }

// joinPeers enrols a node, whose daemon does not run yet, with those that it shall dial. run
// runs `migrated join` where the node is, with a token as its standard input; command is its
// beginning. Those that are enrolled already are given to the daemon by flags.
func (n *Node) joinPeers(ctx context.Context, peers []Peer, run func(token []byte, argv []string) error, command ...string) error {
	for _, p := range peers {
		if n.cluster.enrolled(pair{n.Name, p.Name}) {
			n.Args = append(n.Args, "--peer", p.Name+"="+p.Address)
			continue
		}
		issuer, err := n.cluster.node(p.Name)
		if err != nil {
			return err
		}
		flags := []string{"--address", p.Address}
		token, err := issuer.Token(ctx, n.Name, flags...)
		if err != nil {
			return err
		}
		join := append(slices.Clone(command), "--name", n.Name, "--token-file", "-")
		if err := run(token, join); err != nil {
			return fmt.Errorf("enrol %s with %s: %w", n.Name, p.Name, err)
		}
		n.Enrolments = append(n.Enrolments, Enrolment{tokenCommand("migratectl", n.Name, flags), join})
		n.cluster.setEnrolled(pair{n.Name, p.Name})
	}
	return nil
}

func tokenCommand(migratectl, name string, flags []string) []string {
	return append([]string{migratectl, "trust", "token", name}, flags...)
}

// Token makes a token for a node or an operator, as an operator at the node's machine does.
func (n *Node) Token(ctx context.Context, name string, flags ...string) ([]byte, error) {
	if n.board != nil {
		return n.board.Output(ctx, nil, tokenCommand(ctlOnBoard, name, flags)...)
	}
	r, err := n.Ctl(ctx, tokenCommand("", name, flags)[1:]...)
	if err == nil && r.Code != 0 {
		err = fmt.Errorf("make a token for %s on %s: %s", name, n.Name, r.Stderr)
	}
	return []byte(r.Stdout), err
}

// login enrols the cluster as an operator of a node. With that the node opens its TCP port.
func (c *Cluster) login(ctx context.Context, n *Node, flags ...string) error {
	p := pair{operator, n.Name}
	if c.enrolled(p) {
		return nil
	}
	token, err := n.Token(ctx, operator, append([]string{"--allow", "operate"}, flags...)...)
	if err != nil {
		return err
	}
	c.loggingIn.Lock() // one at a time may change the identity's directory
	defer c.loggingIn.Unlock()
	if err := c.run(ctx, n.enter(), token, filepath.Join(c.bin, "migratectl"), "login", "--token-file", "-"); err != nil {
		return fmt.Errorf("log in to %s: %w", n.Name, err)
	}
	c.setEnrolled(p)
	return nil
}

func (c *Cluster) identityEnv() string { return "MIGRATED_IDENTITY=" + filepath.Join(c.dir, operator) }

// run runs a program of this machine to its end, in a network, with the cluster's identity.
func (c *Cluster) run(ctx context.Context, enter func() error, stdin []byte, argv ...string) error {
	out := NewOutput(nil)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), c.identityEnv())
	cmd.Stdout, cmd.Stderr = out, out
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	p, err := child.StartIn(cmd, enter)
	if err != nil {
		return err
	}
	_, writeErr := io.WriteString(in, string(stdin))
	closeErr := in.Close()
	select {
	case <-p.Done():
	case <-ctx.Done():
		p.Kill()
		return context.Cause(ctx)
	}
	if err := errors.Join(p.Wait(), writeErr, closeErr); err != nil {
		return fmt.Errorf("%s %s: %w: %s", filepath.Base(argv[0]), argv[1], err, strings.TrimSpace(out.String()))
	}
	return nil
}
