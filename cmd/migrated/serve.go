package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/migrated/migrated/node"
	"github.com/migrated/migrated/node/host"
	"github.com/migrated/migrated/node/metrics"
	"github.com/migrated/migrated/node/version"
	"github.com/migrated/migrated/node/vmproc"
	"github.com/migrated/migrated/vmm/kvm"
)

// A daemon is a node with what the process has around it.
type daemon struct {
	file string                  // of the configuration; empty: there is none
	read func() (*config, error) // makes the configuration of file and flags

	level   slog.LevelVar
	log     *slog.Logger
	node    *node.Node
	reloads sync.Mutex // held by what follows
	cfg     *config    // in force, but for what needs a restart
	metrics *metrics.Server
}

// serve runs the node until the context ends or a listener fails.
func (d *daemon) serve(ctx context.Context) error {
	hangups := catchHangups()
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
	exposed, err := cfg.checkListen()
	if err != nil {
		return err
	}
	machine, err := host.Detect()
	if err != nil {
		return err
	}
	if err := kvm.Available(); err != nil {
		log.Warn("this node cannot run VMs", "err", err)
	}
	socket, err := listenUnix(cfg.Socket)
	if err != nil {
		return err
	}
	defer socket.Close()
	lease, err := cfg.lease()
	if err != nil {
		return err
	}
	vms, err := vmproc.NewLauncher(vmproc.LauncherConfig{Dir: filepath.Join(cfg.State, "vms"), Lease: lease, Log: log})
	if err != nil {
		return err
	}
	n, err := node.New(node.Config{
		Name:     cfg.Name,
		StateDir: cfg.State,
		Host:     machine,
		VMs:      vms,
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
	servers := n.NewServers(cfg.RemoteOperators)
	failed := make(chan error, 4)
	go func() { failed <- servers.Operators.Serve(socket) }()
	go func() { failed <- servers.Peers.Serve(n.Hub().Control()) }()
	go func() { failed <- servers.Public.Serve(n.Hub().Plain()) }()
	if cfg.Listen != "" {
		tcp, err := net.Listen("tcp", cfg.Listen)
		if err != nil {
			servers.Stop()
			return errors.Join(fmt.Errorf("listen for other nodes: %w", err), n.Close())
		}
		if exposed {
			log.Warn("anyone who can reach this address can run and take VMs: peers are not authenticated", "listen", cfg.Listen)
		}
		go func() { failed <- n.Hub().Serve(tcp) }()
		log.Info("ready", "name", cfg.Name, "isa", machine.ISA.Name, "levels", machine.Levels, "socket", cfg.Socket, "listen", tcp.Addr())
	} else {
		log.Info("ready", "name", cfg.Name, "isa", machine.ISA.Name, "levels", machine.Levels, "socket", cfg.Socket)
	}
	n.Ready()
	stopReloads := d.reloadOn(hangups)
	defer stopReloads()

	select {
	case <-ctx.Done():
		err = nil
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

// listenUnix makes the socket, in place of one that a dead daemon left behind.
func listenUnix(path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("make the socket's directory: %w", err)
	}
	if c, err := net.Dial("unix", path); err == nil {
		c.Close()
		return nil, fmt.Errorf("another daemon listens on %s: stop it, or give this one a --socket of its own", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("remove the socket of an earlier daemon: %w", err)
	}
	mask := unix.Umask(0o117) // mode 0660 from the first moment
	defer unix.Umask(mask)
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen for migratectl: %w", err)
	}
	return l, nil
}
