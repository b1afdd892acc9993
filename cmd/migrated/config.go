package main

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/migrated/migrated/node"
	"github.com/migrated/migrated/node/link"
	"github.com/migrated/migrated/node/metrics"
	"github.com/migrated/migrated/node/move"
	"github.com/migrated/migrated/node/units"
)

// defaultSocket is where migratectl looks for the daemon.
const defaultSocket = "/run/migrated/migrated.sock"

// A config is the file given by --config; flags of the same name win over it. What is marked
// as live can change while the daemon runs; the rest needs a restart.
type config struct {
	Name        string       `toml:"name"`                       // of this node, as other nodes know it
	State       string       `toml:"state"`                      // directory of the journal, images, logs and trust
	Socket      string       `toml:"socket"`                     // Unix socket for migratectl
	SocketGroup string       `toml:"socket_group"`               // whose members may use it; empty: the daemon's
	Listen      string       `toml:"listen"`                     // TCP address for those who are enrolled; empty: none
	Metrics     string       `toml:"metrics" reload:"live"`      // where to serve metrics; empty: nowhere
	Memory      units.Bytes  `toml:"memory" reload:"live"`       // of a VM, where run does not say
	MemoryLimit units.Bytes  `toml:"memory_limit" reload:"live"` // of all VMs together; 0: what is free
	KeepMemory  units.Bytes  `toml:"keep_memory" reload:"live"`  // of VMs that have left, together; 0: none
	KeepEnded   int          `toml:"keep_ended" reload:"live"`   // records of VMs that have ended
	LogLevel    string       `toml:"log_level" reload:"live"`    // debug, info, warn, error
	VMCPUs      float64      `toml:"vm_cpus" reload:"live"`      // processors that a VM may take; 0: all
	StopVMs     bool         `toml:"stop_vms"`                   // VMs end with the daemon
	Lease       int          `toml:"-"`                          // descriptor; VMs' processes end when it does
	Peers       []peerConfig `toml:"peer" reload:"live"`
	Move        moveConfig   `toml:"move" reload:"live"`
	Limits      limitsConfig `toml:"limits" reload:"live"`
}

// A peerConfig is a node that this one dials.
type peerConfig struct {
	Name    string `toml:"name"`
	Address string `toml:"address"`
}

// A moveConfig has the timeouts of a move; 0 stands for the default.
type moveConfig struct {
	Prepare units.Duration `toml:"prepare_timeout"`
	Quiesce units.Duration `toml:"quiesce_timeout"`
	Stall   units.Duration `toml:"stall_timeout"`
	Doubt   units.Duration `toml:"doubt_timeout"`
}

// A limitsConfig bounds what peers can make this node hold; 0 stands for the default.
type limitsConfig struct {
	Moves      int         `toml:"moves"`       // to here at a time
	PeerMemory units.Bytes `toml:"peer_memory"` // of VMs that came from one peer; by default as memory_limit
	Image      units.Bytes `toml:"image"`       // of a build of an image that a peer gives
	Images     units.Bytes `toml:"images"`      // of all images, beyond which none is taken from a peer
}

func (l *limitsConfig) check() error {
	if l.Moves < 0 {
		return fmt.Errorf("limits: moves: %d is less than none", l.Moves)
	}
	return nil
}

// defaults of what neither file nor flags say.
func defaults() config {
	hostname, err := os.Hostname()
	if err != nil || node.CheckName(hostname) != nil {
		hostname = "node"
	}
	return config{
		Name:     hostname,
		State:    "/var/lib/migrated",
		Socket:   defaultSocket,
		Listen:   ":7370",
		Memory:   64 << 20,
		LogLevel: "info",

		KeepMemory: keepMemory(),
		VMCPUs:     4,
	}
}

// keepMemory is a quarter of the machine's memory: what is kept gives way to whoever needs it.
func keepMemory() units.Bytes {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 0
	}
	return units.Bytes(info.Totalram * uint64(info.Unit) / 4)
}

// readConfig reads a file over what cfg has. A key that means nothing is an error: it is
// most likely a misspelt one.
func readConfig(path string, cfg *config) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	if err := parseConfig(b, cfg); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func parseConfig(b []byte, cfg *config) error {
	dec := toml.NewDecoder(bytes.NewReader(b)).DisallowUnknownFields()
	err := dec.Decode(cfg)
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) {
		var keys []string
		for _, e := range unknown.Errors {
			row, _ := e.Position()
			keys = append(keys, fmt.Sprintf("%s (line %d)", strings.Join(e.Key(), "."), row))
		}
		return fmt.Errorf("unknown key %s", strings.Join(keys, ", "))
	}
	var syntax *toml.DecodeError
	if errors.As(err, &syntax) {
		row, column := syntax.Position()
		return fmt.Errorf("line %d, column %d: %w", row, column, err)
	}
	return err
}

// peers checks what the file says of other nodes.
func (c *config) peers() ([]link.Peer, error) {
	var peers []link.Peer
	seen := map[string]bool{c.Name: true}
	for _, p := range c.Peers {
		if err := node.CheckName(p.Name); err != nil {
			return nil, fmt.Errorf("peer: %w", err)
		}
		if seen[p.Name] {
			return nil, fmt.Errorf("peer %s: the name is there twice, or is this node's own", p.Name)
		}
		seen[p.Name] = true
		if _, _, err := net.SplitHostPort(p.Address); err != nil {
			return nil, fmt.Errorf("peer %s: address %q: want HOST:PORT", p.Name, p.Address)
		}
		peers = append(peers, link.Peer{Name: p.Name, Address: p.Address})
	}
	return peers, nil
}

// check finds what is wrong with a configuration before any of it is in force.
func (c *config) check() error {
	_, peersErr := c.peers()
	_, levelErr := c.logLevel()
	errs := []error{node.CheckName(c.Name), c.Limits.check(), c.checkListen(), peersErr, levelErr}
	if c.VMCPUs < 0 || c.VMCPUs > 0 && c.VMCPUs < 0.01 {
		errs = append(errs, fmt.Errorf("vm_cpus %g: want a number of processors, at least 0.01, or 0 for all", c.VMCPUs))
	}
	if c.Metrics != "" {
		errs = append(errs, metrics.CheckAddress(c.Metrics))
	}
	return errors.Join(errs...)
}

func (c *config) logLevel() (slog.Level, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return 0, fmt.Errorf("log level %q: want debug, info, warn or error", c.LogLevel)
	}
	return l, nil
}

// settings are what the node is given, and again when it changes.
func (c *config) settings() node.Settings {
	peers, _ := c.peers() // checked
	return node.Settings{
		Peers:         peers,
		DefaultMemory: uint64(c.Memory),
		MemoryLimit:   uint64(c.MemoryLimit),
		KeepMemory:    uint64(c.KeepMemory),
		KeepEnded:     c.KeepEnded,
		Timeouts: move.Timeouts{
			Prepare: time.Duration(c.Move.Prepare),
			Quiesce: time.Duration(c.Move.Quiesce),
			Stall:   time.Duration(c.Move.Stall),
			Doubt:   time.Duration(c.Move.Doubt),
		},
		Limits: node.Limits{
			Moves:      c.Limits.Moves,
			PeerMemory: uint64(c.Limits.PeerMemory),
			Image:      uint64(c.Limits.Image),
			Images:     uint64(c.Limits.Images),
		},
	}
}

// checkListen says early what would fail only once somebody is enrolled.
func (c *config) checkListen() error {
	if c.Listen == "" {
		return nil
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return fmt.Errorf("listen address %q: want HOST:PORT, or nothing for no TCP at all", c.Listen)
	}
	return nil
}

// trustDir is where a node keeps its identity and those it trusts.
func (c *config) trustDir() string { return filepath.Join(c.State, "trust") }

// overlay puts what was given by flags over what a file says.
func overlay(cmd *cobra.Command, file, flags *config) {
	for name, set := range map[string]func(){
		"name":         func() { file.Name = flags.Name },
		"state":        func() { file.State = flags.State },
		"socket":       func() { file.Socket = flags.Socket },
		"listen":       func() { file.Listen = flags.Listen },
		"socket-group": func() { file.SocketGroup = flags.SocketGroup },
		"memory":       func() { file.Memory = flags.Memory },
		"memory-limit": func() { file.MemoryLimit = flags.MemoryLimit },
		"metrics":      func() { file.Metrics = flags.Metrics },
		"stop-vms":     func() { file.StopVMs = flags.StopVMs },
		"lease":        func() { file.Lease = flags.Lease },
		"log-level":    func() { file.LogLevel = flags.LogLevel },
	} {
		if cmd.Flags().Changed(name) {
			set()
		}
	}
}

// leaseVariable names a lease where no descriptor can be passed.
const leaseVariable = "MIGRATED_LEASE"

// lease is what VMs' processes end with, or nil.
func (c *config) lease() (*os.File, error) {
	if path := os.Getenv(leaseVariable); c.Lease == 0 && path != "" {
		// A FIFO, which ends with the last who has it open for writing.
		f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
		if err != nil {
			return nil, fmt.Errorf("use lease: %w", err)
		}
		return f, nil
	}
	if c.Lease == 0 {
		return nil, nil
	}
	f := os.NewFile(uintptr(c.Lease), "lease")
	if _, err := f.Stat(); err != nil {
		return nil, fmt.Errorf("use lease: %w", err)
	}
	return f, nil
}

// addPeers takes those given by flags.
func (c *config) addPeers(flags []string) error {
	for _, p := range flags {
		name, address, ok := strings.Cut(p, "=")
		if !ok {
			return fmt.Errorf("peer %q: want NAME=HOST:PORT", p)
		}
		c.Peers = append(c.Peers, peerConfig{Name: name, Address: address})
	}
	return nil
}
