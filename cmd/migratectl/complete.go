package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// completionTimeout keeps a shell from hanging on a daemon that does not answer.
const completionTimeout = 2 * time.Second

// completeVMs offers the names of VMs, those that have ended too.
func (a *app) completeVMs(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return a.completeListed(cmd, args, true)
}

// completeRunning offers the names of VMs that have not ended.
func (a *app) completeRunning(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return a.completeListed(cmd, args, false)
}

func (a *app) completeListed(cmd *cobra.Command, args []string, all bool) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.complete(cmd, func(ctx context.Context, client pb.NodeClient) (names []string, err error) {
		answer, err := client.List(ctx, &pb.ListRequest{All: all})
		for _, vm := range answer.GetVms() {
			names = append(names, cobra.CompletionWithDesc(vm.Name, vmStates[vm.State]+" on "+vm.Node))
		}
		return names, err
	})
}

// completeNodes offers the names of nodes.
func (a *app) completeNodes(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return a.complete(cmd, func(ctx context.Context, client pb.NodeClient) (names []string, err error) {
		answer, err := client.Nodes(ctx, &pb.NodesRequest{})
		for _, n := range answer.GetNodes() {
			names = append(names, cobra.CompletionWithDesc(n.Name, n.Isa+" "+nodeStates[n.State]))
		}
		return names, err
	})
}

func (a *app) complete(cmd *cobra.Command, ask func(context.Context, pb.NodeClient) ([]string, error)) ([]string, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(cmd.Context(), completionTimeout)
	defer cancel()
	var names []string
	err := a.withContext(ctx, func(ctx context.Context, client pb.NodeClient) (err error) {
		names, err = ask(ctx, client)
		return err
	})
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
