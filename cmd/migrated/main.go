// Command migrated is the daemon of a node: it runs VMs, and moves them to and from others.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/migrated/migrated/cmd/manual"
	"github.com/migrated/migrated/node/version"
	"github.com/migrated/migrated/node/vmproc"
	"github.com/migrated/migrated/node/vmproc/cgroup"
	"github.com/migrated/migrated/vmm/kvm"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "migrated:", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	cfg := defaults()
	var file string
	var check bool
	var peers []string
	cmd := &cobra.Command{
		Use:   "migrated",
		Short: "Run VMs and move them between nodes of any instruction set",
		Long: `migrated is the daemon of a node. migratectl tells it what to do, by a Unix socket;
other nodes reach it by TCP, or it reaches them: which of the two makes no difference. It
opens no TCP port before somebody is to be enrolled: migratectl trust token on one node makes
a token, migrated join on the other uses it.

Everything can be given in a TOML file; a flag wins over it:

    name   = "server-1"
    state  = "/var/lib/migrated"
    listen = ":7370"`,
		Example: `  migrated --name server-1
  migrated --config /etc/migrated/migrated.toml
  migrated join --name arm-board-1 --token-file -
  migrated --name arm-board-1`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version.String(),
	}
	common := cmd.PersistentFlags()
	common.SortFlags = false
	common.StringVarP(&file, "config", "c", "", "configuration file, TOML")
	common.StringVar(&cfg.Name, "name", cfg.Name, "name of this node (default the host's)")
	common.Lookup("name").DefValue = "" // help and manual are the same on all machines
	common.StringVar(&cfg.State, "state", cfg.State, "directory of the journal, images, logs and trust")
	common.StringVar(&cfg.Socket, "socket", cfg.Socket, "Unix socket for migratectl")
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&check, "check", false, "only say whether the configuration is good")
	flags.StringVar(&cfg.SocketGroup, "socket-group", cfg.SocketGroup, "group whose members may use the socket; empty for the daemon's")
	flags.StringVar(&cfg.Listen, "listen", cfg.Listen, "TCP address for those who are enrolled; empty for none")
	flags.StringArrayVar(&peers, "peer", nil, "where an enrolled node is dialled, NAME=HOST:PORT, if not where it was joined; may be repeated")
	flags.Var(&cfg.Memory, "memory", "memory of a VM, where migratectl run does not say")
	flags.Var(&cfg.MemoryLimit, "memory-limit", "memory of all VMs together; 0 for what is free")
	flags.StringVar(&cfg.Metrics, "metrics", cfg.Metrics, "serve Prometheus metrics at a loopback HOST:PORT or unix:/PATH; empty for nowhere")
	flags.BoolVar(&cfg.StopVMs, "stop-vms", false, "stop the VMs here when the daemon is stopped; else they go on without it")
	flags.IntVar(&cfg.Lease, "lease", 0, "descriptor: when it ends, so do the processes of VMs")
	if err := flags.MarkHidden("lease"); err != nil {
		panic(err) // there is such a flag
	}
	flags.StringVar(&cfg.LogLevel, "log-level", cfg.LogLevel, "debug, info, warn or error")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if check {
			if _, err := read(cmd, file, &cfg, peers); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), "the configuration is good")
			return nil
		}
		d := &daemon{file: file, read: func() (*config, error) { return read(cmd, file, &cfg, peers) }}
		return d.serve(cmd.Context())
	}
	cmd.CompletionOptions.DisableDefaultCmd = true
	cmd.AddCommand(vmCommand(), releaseGroupCommand(), manual.Command("8"), joinCommand(func(cmd *cobra.Command) (*config, error) { return read(cmd, file, &cfg, nil) }))
	return cmd
}

// vmCommand is the process of one VM; the daemon starts it.
func vmCommand() *cobra.Command {
	var leased bool
	cmd := &cobra.Command{
		Use:    "vm",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE:   func(*cobra.Command, []string) error { return vmproc.Serve(kvm.Open, leased) },
	}
	cmd.Flags().BoolVar(&leased, "lease", false, "end when the lease does")
	return cmd
}

// releaseGroupCommand is what the unit does when a daemon has ended: in a group that limits those
// below it, as the daemon's does, systemd could not start the next one.
func releaseGroupCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "release-group",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE:   func(*cobra.Command, []string) error { return cgroup.Release() },
	}
}

// read makes the configuration of flags and file, and checks it.
func read(cmd *cobra.Command, file string, flags *config, peers []string) (*config, error) {
	cfg := defaults()
	if file != "" {
		if err := readConfig(file, &cfg); err != nil {
			return nil, err
		}
	}
	overlay(cmd, &cfg, flags)
	if err := cfg.addPeers(peers); err != nil {
		return nil, err
	}
	return &cfg, cfg.check()
}
