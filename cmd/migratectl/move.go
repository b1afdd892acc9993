package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// A moveStream is what offload and recall answer with.
type moveStream interface {
	Recv() (*pb.MoveEvent, error)
}

func (a *app) offloadCommand() *cobra.Command {
	var to string
	var flags moveFlags
	cmd := &cobra.Command{
		Use:   "offload VM --to NODE",
		Short: "Move a VM to another node while it runs",
		Long: `Offload moves a VM, from wherever it is, to another node, whatever instruction set that
has. The program goes on there as if nothing had happened. If anything fails before the node
has all of it, the VM goes on where it was, and offload says why.

There are several ways, --mode:
  stop     the program stops, its memory is sent, it goes on
  precopy  memory is sent while the program runs, then what it wrote meanwhile, until the
           rest can be sent in --max-downtime; a program that writes faster than the link
           carries is held back step by step
  postcopy the program stops and goes on at the node at once; what it touches there is fetched
           first, then the rest
  hybrid   memory is sent while the program runs, once; then as postcopy
  auto     one of these, by the program's memory, what it writes, and the link; the account says
           which, and why

After postcopy and hybrid the VM needs both nodes until all of its memory has come, mostly for
seconds. A node that is out of sight meanwhile holds the program up. Should the node that it came
from be lost for good, with the VM's process there, the VM is lost: a part of its memory is
nowhere else. auto takes these ways only for a program that writes faster than the link carries.
With --safe it never does, and holds such a program back instead.

Once the node has what it needs to start the VM, the move cannot be taken back. If the node goes out of
sight after that, offload fails after a while and says that the move is in doubt, which side may have the
VM, and what to do; the daemon goes on to resolve it. The VM never runs on both sides.

Interrupt (Ctrl-C) calls the move off, where that is still possible, and offload says where the VM is.`,
		Example: `  migratectl offload lua --to arm-board-1
  migratectl offload lua --to arm-board-1 --compress zstd -o json
  migratectl offload lua --to server-2 --max-downtime 5ms --bandwidth 50M
  migratectl offload lua --to server-2 --safe`,
		Args:              exactly("VM"),
		ValidArgsFunction: a.completeRunning,
		RunE: func(cmd *cobra.Command, args []string) error {
			if to == "" {
				return usagef("offload: say where to with --to NODE")
			}
			opt, err := flags.options()
			if err != nil {
				return err
			}
			return a.with(cmd, func(ctx context.Context, client pb.NodeClient) error {
				stream, err := client.Offload(ctx, &pb.OffloadRequest{Vm: args[0], To: to, Options: opt})
				if err != nil {
					return err
				}
				return a.watchMove(ctx, client, args[0], to, stream)
			})
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "the node to move it to")
	flags.add(cmd)
	_ = cmd.RegisterFlagCompletionFunc("to", a.completeNodes)
	return cmd
}

func (a *app) recallCommand() *cobra.Command {
	var flags moveFlags
	cmd := &cobra.Command{
		Use:               "recall VM",
		Short:             "Bring a VM back to its home",
		Long:              `Recall moves a VM from wherever it is back to the node that it was started on.`,
		Example:           `  migratectl recall lua`,
		Args:              exactly("VM"),
		ValidArgsFunction: a.completeRunning,
		RunE: func(cmd *cobra.Command, args []string) error {
			opt, err := flags.options()
			if err != nil {
				return err
			}
			return a.with(cmd, func(ctx context.Context, client pb.NodeClient) error {
				stream, err := client.Recall(ctx, &pb.RecallRequest{Vm: args[0], Options: opt})
				if err != nil {
					return err
				}
				return a.watchMove(ctx, client, args[0], "", stream)
			})
		},
	}
	flags.add(cmd)
	return cmd
}

// watchMove shows the progress of a move to a node on standard error, and its account at the end;
// to the VM's home where to is empty.
func (a *app) watchMove(ctx context.Context, client pb.NodeClient, vm, to string, stream moveStream) error {
	progress := newProgress(a.stderr, vm)
	var account *pb.Move
	err := each(stream, func(event *pb.MoveEvent) error {
		progress.event(event)
		if event.Move != nil {
			account = event.Move
		}
		return nil
	})
	progress.end(err)
	if err != nil && ctx.Err() != nil {
		return calledOff(client, vm, to)
	}
	if err != nil {
		return err
	}
	if account == nil {
		return errors.New("the daemon did not say how the move ended")
	}
	record := newMoveRecord(account)
	return a.print(record, func(w io.Writer) error {
		fmt.Fprintf(w, "moved %s from %s to %s\n", vm, record.From, record.To)
		return printMove(w, &record)
	})
}

// settlePatience is how long a move that is called off may take to end. Most take no time: what
// takes longer is past its commitment.
const settlePatience = 5 * time.Second

// calledOff says where a VM is after an interrupt has called its move off: it may have been too
// late for that.
func calledOff(client pb.NodeClient, vm, to string) error {
	ctx, cancel := context.WithTimeout(context.Background(), settlePatience)
	defer cancel()
	for {
		rec, err := client.Inspect(ctx, &pb.VMRequest{Vm: vm})
		if err != nil {
			return fmt.Errorf("the move was called off, and where %s is cannot be said: %w", vm, err)
		}
		if rec.State != pb.VMState_VM_STATE_MOVING {
			return whereItIs(rec, to)
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return whereItIs(rec, to)
		}
	}
}

// whereItIs is what came of calling off a move to a node, or home.
func whereItIs(rec *pb.VM, to string) error {
	if to == "" {
		to = rec.Home
	}
	switch {
	case rec.State == pb.VMState_VM_STATE_MOVING:
		return fmt.Errorf("too late to call the move off: %s is on its way to %s; migratectl ps says when it is there", rec.Name, rec.MovingTo)
	case rec.Node == to:
		return fmt.Errorf("too late to call the move off: %s is on %s", rec.Name, to)
	}
	return fmt.Errorf("the move was called off: %s is %s on %s", rec.Name, vmStates[rec.State], rec.Node)
}
