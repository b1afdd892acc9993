package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/migrated/migrated/node"
	"github.com/migrated/migrated/node/host"
	"github.com/migrated/migrated/node/metrics"
	"github.com/migrated/migrated/node/sdnotify"
	"github.com/migrated/migrated/node/trust"
	"github.com/migrated/migrated/node/version"
	"github.com/migrated/migrated/node/vmproc"
	"github.com/migrated/migrated/node/vmproc/cgroup"
	"github.com/migrated/migrated/vmm/kvm"
)

// A daemon is a node with what the process has around it.
type daemon struct {
	file string                  // of the configuration; empty: there is none
	read func() (*config, error) // makes the configuration of file and flags

	level   slog.LevelVar
	log     *slog.Logger
	vms     *vmproc.Launcher
	node    *node.Node
	reloads sync.Mutex // held by what follows
	cfg     *config    // in force, but for what needs a restart
	metrics *metrics.Server
}

// serve runs the node until the context ends or a listener fails.
func (d *daemon) serve(ctx context.Context) error {
	hangups := catchHangups()
	manager, err := sdnotify.FromEnv()
	if err != nil {
		return err
	}
	cfg, err := d.read()
	if err != nil {
		return err
	}
	d.cfg = cfg
	level, err := cfg.logLevel()
	if err != nil {
		return err
	}
	d.level.Set(level)
	// Standard error is where a service manager collects it.
	d.log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: &d.level}))
	log := d.log
	machine, err := host.Detect()
	if err != nil {
		return err
	}
	if err := kvm.Available(); err != nil {
		log.Warn("this node cannot run VMs", "err", err)
	}
	socket, err := listenUnix(cfg.Socket, cfg.SocketGroup)
	if err != nil {
		return err
	}
	defer socket.Close()
	lease, err := cfg.lease()
	if err != nil {
		return err
	}
	groups, noGroups := cgroup.Open()
	if noGroups != nil {
		log.Info("VMs get no control groups of their own", "why", noGroups)
	} else {
		log.Info("each VM gets a control group of its own", "below", groups)
	}
	d.vms, err = vmproc.NewLauncher(vmproc.LauncherConfig{
		Dir: filepath.Join(cfg.State, "vms"), Lease: lease, Log: log,
		Groups: groups, NoGroups: noGroups, CPUs: cfg.VMCPUs,
	})
	if err != nil {
		return err
	}
	trusted, err := trust.Open(cfg.trustDir())
	if errors.Is(err, trust.ErrInUse) {
		return fmt.Errorf("state directory %s: another daemon has it open; stop that one or give this one a --state directory of its own", cfg.State)
	}
	if err != nil {
		return err
	}
	defer trusted.Close()
	n, err := node.New(node.Config{
		Name:     cfg.Name,
		StateDir: cfg.State,
		Trust:    trusted,
		Listen:   cfg.Listen,
		Host:     machine,
		VMs:      d.vms,
		Settings: cfg.settings(),
		Reload:   d.reload,
		Log:      log,
		Version:  version.String(),
	})
	if err != nil {
		return err
	}
	d.reloads.Lock()
	d.node = n
	err = d.serveMetrics(cfg.Metrics)
	d.reloads.Unlock()
	if err != nil {
		return errors.Join(err, n.Close())
	}
	defer d.serveMetrics("")
	servers := n.NewServers()
	failed := make(chan error, 3)
	go func() { failed <- servers.Operators.Serve(node.Local(socket)) }()
	go func() { failed <- servers.Remote.Serve(n.Hub().Operators()) }()
	go func() { failed <- servers.Peers.Serve(n.Hub().Control()) }()
	if err := n.Hub().Listening(); err != nil {
		servers.Stop()
		return errors.Join(err, n.Close())
	}
	log.Info("ready", "name", cfg.Name, "isa", machine.ISA.Name, "levels", machine.Levels, "socket", cfg.Socket, "identity", trusted.Key())
	n.Ready()
	if err := manager.Ready(); err != nil {
		log.Warn("systemd does not learn that this is ready", "err", err)
	}
	watched, unwatch := context.WithCancel(ctx)
	defer unwatch()
	go manager.Run(watched, n.Pulse)
	stopReloads := d.reloadOn(hangups)
	defer stopReloads()

	select {
	case <-ctx.Done():
		err = manager.Stopping()
	case err = <-failed:
	}
	if cfg.StopVMs {
		// Their last words still reach those who follow them.
		n.StopVMs(stopGrace)
	}
	closeErr := n.Close()
	servers.Stop()
	return errors.Join(err, closeErr)
}

// stopGrace is how long programs may take to end where the daemon stops them.
const stopGrace = 10 * time.Second
