package main

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/migrated/migrated/node"
	"github.com/migrated/migrated/node/link"
	"github.com/migrated/migrated/node/move"
)

const full = `
name = "server-1"
state = "/s"
socket = "/r/s"
listen = "0.0.0.0:1"
socket_group = "operators"
memory = "128M"
memory_limit = "4G"
keep_ended = 7
log_level = "debug"

[[peer]]
name = "arm-board-1"
address = "10.0.0.2:7370"

[limits]
moves = 3
peer_memory = "2G"
image = "5M"
images = "6G"

[move]
prepare_timeout = "2m"
quiesce_timeout = "3s"
stall_timeout = "4s"
`

func TestConfig(t *testing.T) {
	cfg := defaults()
	if err := parseConfig([]byte(full), &cfg); err != nil {
		t.Fatal(err)
	}
	peers, err := cfg.peers()
	if err != nil || len(peers) != 1 || peers[0] != (link.Peer{Name: "arm-board-1", Address: "10.0.0.2:7370"}) {
		t.Errorf("peers %v, %v", peers, err)
	}
	if cfg.Name != "server-1" || cfg.Memory != 128<<20 || cfg.MemoryLimit != 4<<30 || cfg.KeepEnded != 7 || cfg.SocketGroup != "operators" || cfg.Move.Stall != 4e9 {
		t.Errorf("%+v", cfg)
	}
}

// TestFlagsWin: a flag wins over the file, and what neither says has its default.
func TestFlagsWin(t *testing.T) {
	cmd := command()
	if err := cmd.ParseFlags([]string{"--name", "x", "--memory", "1M"}); err != nil {
		t.Fatal(err)
	}
	file, flags := defaults(), defaults()
	if err := parseConfig([]byte("name = 'y'\nmemory_limit = '2M'\n"), &file); err != nil {
		t.Fatal(err)
	}
	flags.Name, flags.Memory = "x", 1<<20
	overlay(cmd, &file, &flags)
	if file.Name != "x" || file.Memory != 1<<20 || file.MemoryLimit != 2<<20 || file.Listen != defaults().Listen {
		t.Errorf("%+v", file)
	}
}

func TestListen(t *testing.T) {
	for address, want := range map[string]string{
		"": "", "127.0.0.1:1": "", "[::]:1": "", "localhost:1": "", ":1": "", "127.0.0.1": "want HOST:PORT",
	} {
		cfg := config{Listen: address}
		err := cfg.checkListen()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", address, err, want)
		}
	}
}

// FuzzConfig: a file is an error or a configuration, and never a crash.
func FuzzConfig(f *testing.F) {
	f.Add([]byte(full))
	f.Fuzz(func(t *testing.T, b []byte) {
		cfg := defaults()
		if parseConfig(b, &cfg) == nil {
			cfg.peers()
			cfg.checkListen()
		}
	})
}

// TestPackagedConfig: the file that the package installs changes nothing, and what it says
// of defaults is true.
func TestPackagedConfig(t *testing.T) {
	text, err := os.ReadFile("../../packaging/files/migrated.toml")
	if err != nil {
		t.Fatal(err)
	}
	plain := defaults()
	if err := parseConfig(text, &plain); err != nil || !reflect.DeepEqual(plain, defaults()) {
		t.Errorf("as it is: %+v, %v", plain, err)
	}
	var shown strings.Builder
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "#"); ok && !strings.HasPrefix(rest, " ") {
			line = rest
		}
		shown.WriteString(line)
	}
	cfg := defaults()
	if err := parseConfig([]byte(shown.String()), &cfg); err != nil {
		t.Fatal(err)
	}
	if err := cfg.check(); err != nil {
		t.Error(err)
	}
	want := node.Settings{Timeouts: move.Timeouts{}.WithDefaults()}.Timeouts
	if got := cfg.settings().Timeouts.WithDefaults(); got != want {
		t.Errorf("timeouts %+v, want %+v", got, want)
	}
	if cfg.KeepEnded != 100 || len(cfg.Peers) != 1 || cfg.Name != "server-1" {
		t.Errorf("%+v", cfg)
	}
	cfg.KeepMemory = defaults().KeepMemory // goes by the machine
	cfg.Name, cfg.KeepEnded, cfg.Peers, cfg.Move = defaults().Name, 0, nil, moveConfig{}
	if !reflect.DeepEqual(cfg, defaults()) {
		t.Errorf("shown as defaults: %+v, they are %+v", cfg, defaults())
	}
}
