package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/migrated/migrated/proto/migrated/v1"
)

func (a *app) stopCommand() *cobra.Command {
	var grace time.Duration
	cmd := &cobra.Command{
		Use:   "stop VM",
		Short: "Stop a program",
		Long: `Stop asks a program to end as SIGTERM would, ends it by force after the grace period, and
returns when it has ended. A move that is under way is called off.`,
		Example: `  migratectl stop lua
  migratectl stop --grace 0s lua`,
		Args:              exactly("VM"),
		ValidArgsFunction: a.completeRunning,
		RunE: func(cmd *cobra.Command, args []string) error {
			if grace < 0 {
				return usagef("--grace %v: must not be negative", grace)
			}
			return a.with(cmd, func(ctx context.Context, client pb.NodeClient) error {
				vm, err := client.Stop(ctx, &pb.StopRequest{Vm: args[0], Grace: durationpb.New(grace)})
				if err != nil {
					return err
				}
				record := newVMRecord(vm)
				return a.print(record, func(w io.Writer) error {
					_, err := fmt.Fprintf(w, "%s %s\n", record.Name, record.stateText())
					return err
				})
			})
		},
	}
	cmd.Flags().DurationVar(&grace, "grace", 10*time.Second, "how long it may take")
	return cmd
}

func (a *app) forgetCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "forget VM",
		Short: "Give up a VM whose node never returns",
		Long: `Forget gives up a VM that is away on a node which is out of sight for good, or was handed over
to such a node, which has not said whether it runs it: it counts as lost, and its name is free again.

What has not come from there is gone: the program's output since the link was lost, and the
program itself. It may be running there at this moment. If the node does come back, the program
is ended there by force as soon as this node sees it; until then, two programs can run where you
start another in its place. While the node is connected, use stop or recall instead.

Of a VM that has ended, forget removes record and log.`,
		Example:           `  migratectl forget lua`,
		Args:              exactly("VM"),
		ValidArgsFunction: a.completeVMs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd, func(ctx context.Context, client pb.NodeClient) error {
				vm, err := client.Forget(ctx, &pb.VMRequest{Vm: args[0]})
				if err != nil {
					return err
				}
				record := newVMRecord(vm)
				return a.print(record, func(w io.Writer) error {
					_, err := fmt.Fprintf(w, "%s %s: %s\n", record.Name, record.stateText(), cmp.Or(record.Note, "record and log removed"))
					return err
				})
			})
		},
	}
}

func (a *app) waitCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "wait VM",
		Short: "Wait until a program has ended",
		Long: `Wait returns when the program has ended, wherever that is. Its exit code is the program's,
or 125 if migratectl itself failed.`,
		Example:           `  migratectl wait lua; echo $?`,
		Args:              exactly("VM"),
		Annotations:       map[string]string{programStatus: "yes"},
		ValidArgsFunction: a.completeVMs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd, func(ctx context.Context, client pb.NodeClient) error {
				vm, err := client.Wait(ctx, &pb.VMRequest{Vm: args[0]})
				if err != nil {
					return err
				}
				if a.output == "json" {
					if err := a.print(newVMRecord(vm), nil); err != nil {
						return err
					}
				}
				return programEnd(vm)
			})
		},
	}
}
