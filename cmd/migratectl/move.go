package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/statexfer"
)

// A moveStream is what offload and recall answer with.
type moveStream interface {
	Recv() (*pb.MoveEvent, error)
}

func (a *app) offloadCommand() *cobra.Command {
	var to, compress string
	cmd := &cobra.Command{
		Use:   "offload VM --to NODE",
		Short: "Move a VM to another node while it runs",
		Long: `Offload moves a VM, from wherever it is, to another node, whatever instruction set that
has. The program goes on there as if nothing had happened. If anything fails before the node
has all of it, the VM goes on where it was, and offload says why.

Interrupt (Ctrl-C) calls the move off.`,
		Example: `  migratectl offload lua --to arm-board-1
  migratectl offload lua --to arm-board-1 --compress zstd -o json`,
		Args:              exactly("VM"),
		ValidArgsFunction: a.completeVMs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if to == "" {
				return usagef("offload: say where to with --to NODE")
			}
			codec, err := compression(compress)
			if err != nil {
				return err
			}
			return a.with(cmd, func(ctx context.Context, client pb.NodeClient) error {
				stream, err := client.Offload(ctx, &pb.OffloadRequest{Vm: args[0], To: to, Compress: codec})
				if err != nil {
					return err
				}
				return a.watchMove(args[0], stream)
			})
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "the node to move it to")
	addCompress(cmd, &compress)
	_ = cmd.RegisterFlagCompletionFunc("to", a.completeNodes)
	return cmd
}

func (a *app) recallCommand() *cobra.Command {
	var compress string
	cmd := &cobra.Command{
		Use:               "recall VM",
		Short:             "Bring a VM back to its home",
		Long:              `Recall moves a VM from wherever it is back to the node that it was started on.`,
		Example:           `  migratectl recall lua`,
		Args:              exactly("VM"),
		ValidArgsFunction: a.completeVMs,
		RunE: func(cmd *cobra.Command, args []string) error {
			codec, err := compression(compress)
			if err != nil {
				return err
			}
			return a.with(cmd, func(ctx context.Context, client pb.NodeClient) error {
				stream, err := client.Recall(ctx, &pb.RecallRequest{Vm: args[0], Compress: codec})
				if err != nil {
					return err
				}
				return a.watchMove(args[0], stream)
			})
		},
	}
	addCompress(cmd, &compress)
	return cmd
}

func addCompress(cmd *cobra.Command, value *string) {
	cmd.Flags().StringVar(value, "compress", "auto", "auto, none, s2 or zstd")
	_ = cmd.RegisterFlagCompletionFunc("compress",
		cobra.FixedCompletions([]string{"auto", "none", "s2", "zstd"}, cobra.ShellCompDirectiveNoFileComp))
}

// compression is what --compress means.
func compression(s string) (pb.Compression, error) {
	codec, err := statexfer.ParseCodec(s)
	if err != nil {
		return 0, &usageError{fmt.Errorf("--compress: %w", err)}
	}
	return map[statexfer.Codec]pb.Compression{
		statexfer.Auto: pb.Compression_COMPRESSION_UNSPECIFIED,
		statexfer.None: pb.Compression_COMPRESSION_NONE,
		statexfer.S2:   pb.Compression_COMPRESSION_S2,
		statexfer.Zstd: pb.Compression_COMPRESSION_ZSTD,
	}[codec], nil
}

// watchMove shows a move's progress on standard error, and its account at the end.
func (a *app) watchMove(vm string, stream moveStream) error {
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
