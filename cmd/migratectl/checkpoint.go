package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/migrated/migrated/node/rpcerror"
	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/statexfer"
	"github.com/migrated/migrated/statexfer/checkpoint"
)

func (a *app) checkpointCommand() *cobra.Command {
	var flags moveFlags
	var parent string
	cmd := &cobra.Command{
		Use:   "checkpoint VM FILE",
		Short: "Keep a VM's state in a file, while it goes on",
		Long: `Checkpoint writes the state of a VM of this node to a file on this machine. The VM goes on;
it stands still as for a move. A file of that name is there when it is complete, and only then.

With --parent the file has only what is not in the parent, an earlier checkpoint in the same
directory, and needs it to be restored.

What the program has printed is not in the file, and neither is its image.`,
		Example: `  migratectl checkpoint worker worker.ckpt
  migratectl checkpoint worker worker-2.ckpt --parent worker.ckpt`,
		Args: exactly("VM", "FILE"),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 1 {
				return nil, cobra.ShellCompDirectiveDefault // a file
			}
			return a.completeRunning(cmd, args, typed)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			opt, err := flags.options()
			if err != nil {
				return err
			}
			if parent != "" && filepath.Dir(parent) != filepath.Dir(args[1]) {
				return usagef("checkpoint: --parent must be in the directory of %s", args[1])
			}
			return a.with(cmd, func(ctx context.Context, client pb.NodeClient) error {
				return saveCheckpoint(ctx, client, args[0], args[1], parent, opt)
			})
		},
	}
	cmd.Flags().StringVar(&parent, "parent", "", "checkpoint to build on, in the same directory")
	flags.addToFile(cmd)
	return cmd
}

func (a *app) restoreCommand() *cobra.Command {
	var name, imageFile string
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Start a VM from a checkpoint",
		Long: `Restore starts a new VM of this node, whatever its instruction set, from a checkpoint and all
that it builds on. It goes on where the checkpoint was taken; its clock has stood still. The
image is not in the file: the node must have it, or be given it with --image.`,
		Example: `  migratectl restore worker.ckpt
  migratectl restore worker.ckpt --name again --image worker.img`,
		Args: exactly("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			chain, err := checkpoint.OpenChain(args[0])
			if err != nil {
				return advise(err)
			}
			defer chain.Close()
			return advise(a.with(cmd, func(ctx context.Context, client pb.NodeClient) error {
				if imageFile != "" {
					if _, err := importImage(ctx, client, imageFile); err != nil {
						return err
					}
				}
				vm, err := restoreCheckpoint(ctx, client, chain, name)
				if err != nil {
					return err
				}
				return a.print(newVMRecord(vm), func(w io.Writer) error {
					_, err := fmt.Fprintln(w, vm.Name)
					return err
				})
			}))
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "name of the VM (default made from the image's)")
	cmd.Flags().StringVar(&imageFile, "image", "", "the image's file, if the node has it not")
	return cmd
}

// advise says what to do where a checkpoint is none, or not what it was.
func advise(err error) error {
	if st, ok := rpcerror.Find(err); errors.Is(err, checkpoint.ErrFormat) || ok && st.Code() == codes.DataLoss {
		return fmt.Errorf("%w; take a good copy of the file, or another checkpoint", err)
	}
	return err
}

// saveCheckpoint writes a checkpoint as the daemon's answer comes.
func saveCheckpoint(ctx context.Context, client pb.NodeClient, vm, path, parent string, opt *pb.MoveOptions) (err error) {
	var h checkpoint.Header
	var base *statexfer.Offer
	if parent != "" {
		// All of it is looked at now: what is missing would be missing when the VM is needed.
		chain, err := checkpoint.OpenChain(parent)
		if err != nil {
			return advise(err)
		}
		defer chain.Close()
		if chain.Has(path) {
			return fmt.Errorf("%s is what the checkpoint would build on: give it another name", path)
		}
		if len(chain) == checkpoint.MaxChain {
			return fmt.Errorf("%d checkpoints build on each other: begin anew, without --parent", len(chain))
		}
		p := chain.Last()
		if base, err = p.Offer(); err != nil {
			return advise(err)
		}
		h.Parent, h.ParentDigest = filepath.Base(parent), p.Digest
		h.Pages = p.Pages
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := client.Checkpoint(ctx)
	if err != nil {
		return err
	}
	if err := stream.Send(&pb.CheckpointRequest{Vm: vm, Options: opt}); err != nil {
		return closed(err, stream.RecvMsg)
	}
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	if parent != "" && h.Pages != first.Pages {
		return fmt.Errorf("%s is of a VM with another size of memory", parent)
	}
	h.Pages = first.Pages
	w, err := checkpoint.Create(path, &h)
	if err != nil {
		return err
	}
	var account []byte
	conn := &rpcConn{
		send: func(p []byte) error { return stream.Send(&pb.CheckpointRequest{Data: p}) },
		receive: func() ([]byte, error) {
			m, err := stream.Recv()
			if m.GetAccount() != nil {
				account = m.Account
				return nil, io.EOF
			}
			return m.GetData(), err
		},
	}
	if err := w.Take(ctx, conn, base); err != nil {
		return errors.Join(conn.explain(err), w.Abort())
	}
	for account == nil {
		if _, err := conn.receive(); err != nil && account == nil {
			return errors.Join(err, w.Abort())
		}
	}
	return w.Commit(account)
}

func restoreCheckpoint(ctx context.Context, client pb.NodeClient, chain checkpoint.Chain, name string) (*pb.VM, error) {
	last := chain.Last()
	account := new(pb.CheckpointAccount)
	if err := proto.Unmarshal(last.Meta, account); err != nil {
		return nil, fmt.Errorf("%w: account of the VM: %w", checkpoint.ErrFormat, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := client.Restore(ctx)
	if err != nil {
		return nil, err
	}
	if err := stream.Send(&pb.RestoreRequest{Account: last.Meta, Name: name, Files: uint32(len(chain)), Digest: last.Digest[:]}); err != nil {
		return nil, closed(err, stream.RecvMsg)
	}
	var vm *pb.VM
	conn := &rpcConn{
		send: func(p []byte) error { return stream.Send(&pb.RestoreRequest{Data: p}) },
		receive: func() ([]byte, error) {
			m, err := stream.Recv()
			if m.GetVm() != nil {
				vm = m.Vm
				return nil, io.EOF
			}
			return m.GetData(), err
		},
	}
	at := new(checkpoint.FeedError)
	if err := chain.Feed(ctx, conn); errors.As(err, &at) {
		return nil, fmt.Errorf("restore %s: %w", at.Path, conn.explain(at.Err))
	}
	for vm == nil {
		if _, err := conn.receive(); err != nil && vm == nil {
			return nil, fmt.Errorf("restore %s: %w", last.Path(), err)
		}
	}
	return vm, nil
}

// closed gets the daemon's reason where it has ended a stream that is being sent.
func closed(err error, receive func(any) error) error {
	if !errors.Is(err, io.EOF) {
		return err
	}
	return receive(new(pb.VM))
}

// rpcPiece is how much goes into one message, bytes.
const rpcPiece = 256 << 10

// An rpcConn is a stream of an RPC as a connection. Deadlines mean nothing: its context ends
// it.
type rpcConn struct {
	send    func([]byte) error
	receive func() ([]byte, error)
	rest    []byte
	failed  error // what the daemon said
}

func (c *rpcConn) Read(p []byte) (int, error) {
	for len(c.rest) == 0 {
		var err error
		if c.rest, err = c.receive(); err != nil {
			c.failed = err
			return 0, err
		}
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *rpcConn) Write(p []byte) (n int, err error) {
	for n < len(p) {
		piece := p[n:min(n+rpcPiece, len(p))]
		if err := c.send(piece); err != nil {
			if errors.Is(err, io.EOF) { // the reason is to be received
				for err = nil; err == nil; {
					_, err = c.receive()
				}
				c.failed = err
			}
			return n, err
		}
		n += len(piece)
	}
	return n, nil
}

// explain prefers what the daemon said over what that made of a transfer.
func (c *rpcConn) explain(err error) error {
	if c.failed != nil && c.failed != io.EOF {
		return c.failed
	}
	return err
}

func (c *rpcConn) Close() error                     { return nil }
func (c *rpcConn) LocalAddr() net.Addr              { return nil }
func (c *rpcConn) RemoteAddr() net.Addr             { return nil }
func (c *rpcConn) SetDeadline(time.Time) error      { return nil }
func (c *rpcConn) SetReadDeadline(time.Time) error  { return nil }
func (c *rpcConn) SetWriteDeadline(time.Time) error { return nil }
