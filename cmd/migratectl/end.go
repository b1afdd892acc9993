package main

import (
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
		ValidArgsFunction: a.completeVMs,
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
