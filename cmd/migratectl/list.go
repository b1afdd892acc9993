package main

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	pb "github.com/migrated/migrated/proto/migrated/v1"
)

func (a *app) psCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "ps",
		Short: "List VMs",
		Long:  `Ps lists the VMs that run on this node or have their home here.`,
		Example: `  migratectl ps
  migratectl ps --all -o json`,
		Args:              exactly(),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd, func(ctx context.Context, client pb.NodeClient) error {
				answer, err := client.List(ctx, &pb.ListRequest{All: all})
				if err != nil {
					return err
				}
				records := []vmRecord{}
				for _, vm := range answer.Vms {
					records = append(records, newVMRecord(vm))
				}
				return a.print(records, func(w io.Writer) error { return printVMs(w, records, time.Now()) })
			})
		},
	}
	cmd.Flags().BoolVarP(&all, "all", "a", false, "those that have ended too")
	return cmd
}

func (a *app) nodesCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "nodes",
		Short:             "List nodes that VMs can be moved to",
		Long:              `Nodes lists this node and those that it knows, by configuration or because they connected.`,
		Example:           `  migratectl nodes`,
		Args:              exactly(),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd, func(ctx context.Context, client pb.NodeClient) error {
				answer, err := client.Nodes(ctx, &pb.NodesRequest{})
				if err != nil {
					return err
				}
				records := []nodeRecord{}
				for _, n := range answer.Nodes {
					records = append(records, newNodeRecord(n))
				}
				return a.print(records, func(w io.Writer) error { return printNodes(w, records) })
			})
		},
	}
}

func (a *app) logsCommand() *cobra.Command {
	var follow bool
	cmd := &cobra.Command{
		Use:   "logs VM",
		Short: "Print what a program has printed",
		Long: `Logs prints all that a program wrote to standard output and standard error, as one
stream wherever the VM has been.`,
		Example: `  migratectl logs lua
  migratectl logs --follow lua 2>/dev/null`,
		Args:              exactly("VM"),
		ValidArgsFunction: a.completeVMs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd, func(ctx context.Context, client pb.NodeClient) error {
				stream, err := client.Logs(ctx, &pb.LogsRequest{Vm: args[0], Follow: follow})
				if err != nil {
					return err
				}
				err = each(stream, func(chunk *pb.LogChunk) error { return a.printFrames(chunk.Frames) })
				if follow && ctx.Err() != nil && cmd.Context().Err() == nil {
					return nil // an interrupt is how following ends
				}
				return err
			})
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on until the program ends")
	return cmd
}
