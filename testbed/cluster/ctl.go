package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/migrated/migrated/testbed/child"
)

// A Result is what came of a run of migratectl.
type Result struct {
	Stdout, Stderr string
	Code           int // exit status
}

// Ctl runs migratectl for this node to its end. The error says only that it could not be run
// or was cut short; the result has its exit status.
func (n *Node) Ctl(ctx context.Context, args ...string) (Result, error) {
	s, err := n.Session(args...)
	if err != nil {
		return Result{}, err
	}
	s.Stdin.Close()
	return s.Wait(ctx)
}

// JSON runs migratectl with -o json and decodes what it prints.
func (n *Node) JSON(ctx context.Context, record any, args ...string) error {
	r, err := n.Ctl(ctx, append([]string{"-o", "json"}, args...)...)
	if err != nil {
		return err
	}
	if r.Code != 0 {
		return fmt.Errorf("migratectl %q ended with status %d: %s", args, r.Code, r.Stderr)
	}
	if err := json.Unmarshal([]byte(r.Stdout), record); err != nil {
		return fmt.Errorf("read what migratectl %q printed: %w", args, err)
	}
	return nil
}

// Inspect returns what the node knows of a VM.
func (n *Node) Inspect(ctx context.Context, vm string) (*VM, error) {
	v := new(VM)
	return v, n.JSON(ctx, v, "inspect", vm)
}

// pollInterval is how often the state of a node is looked at.
const pollInterval = 20 * time.Millisecond

// AwaitPeer waits until this node has a link to another.
func (n *Node) AwaitPeer(ctx context.Context, name string) error {
	for {
		var peers []struct{ Name, State string }
		if err := n.JSON(ctx, &peers, "nodes"); err != nil {
			return err
		}
		for _, p := range peers {
			if p.Name == name && p.State == "connected" {
				return nil
			}
		}
		select {
		case <-time.After(pollInterval):
		case <-ctx.Done():
			return fmt.Errorf("%s waits for a link to %s: %w", n.Name, name, context.Cause(ctx))
		}
	}
}

// A Session is a migratectl that runs.
type Session struct {
	Stdin          io.WriteCloser
	Stdout, Stderr *Output
	*child.Process
}

// Session starts migratectl for this node.
func (n *Node) Session(args ...string) (*Session, error) {
	return n.SessionTo(nil, nil, args...)
}

// SessionTo is Session with copies of what migratectl prints to writers, where they are not
// nil.
func (n *Node) SessionTo(stdout, stderr io.Writer, args ...string) (*Session, error) {
	s := &Session{Stdout: NewOutput(stdout), Stderr: NewOutput(stderr)}
	cmd := exec.Command(filepath.Join(n.cluster.bin, "migratectl"), args...)
	cmd.Env = append(os.Environ(), n.reach(), n.cluster.identityEnv())
	cmd.Stdout, cmd.Stderr = s.Stdout, s.Stderr
	var err error
	if s.Stdin, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if s.Process, err = child.Start(cmd); err != nil {
		return nil, fmt.Errorf("start migratectl: %w", err)
	}
	go func() {
		<-s.Done()
		s.Stdout.end()
		s.Stderr.end()
	}()
	return s, nil
}

// reach says in migratectl's environment which daemon it is to speak to.
func (n *Node) reach() string {
	if n.board != nil {
		return "MIGRATED_NODE=" + n.Name
	}
	return "MIGRATED_SOCKET=" + n.Socket
}

// Wait waits until migratectl has ended. It is killed when the context ends first.
func (s *Session) Wait(ctx context.Context) (Result, error) {
	select {
	case <-s.Done():
	case <-ctx.Done():
		s.Kill()
		return Result{}, fmt.Errorf("wait for migratectl: %w; it said:\n%s%s", context.Cause(ctx), s.Stdout, s.Stderr)
	}
	err := s.Process.Wait()
	r := Result{Stdout: s.Stdout.String(), Stderr: s.Stderr.String()}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		r.Code = exit.ExitCode()
		err = nil
	}
	return r, err
}
