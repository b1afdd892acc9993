package qemu

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/migrated/migrated/testbed/board"
	"github.com/migrated/migrated/testbed/netns"
)

// TestMigrate moves small machines between two networks: they go on.
func TestMigrate(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to make network namespaces")
	}
	for _, needed := range []string{emulator, "ip", "gcc"} {
		if _, err := exec.LookPath(needed); err != nil {
			t.Skip("needs ", needed, ": scripts/setup installs it")
		}
	}
	if _, err := os.Stat("/dev/kvm"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("needs /dev/kvm: ", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	root, err := board.Root()
	if err != nil {
		t.Fatal(err)
	}
	firmware, err := BuildFirmware(root, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	pair, err := netns.New()
	if err != nil {
		t.Fatal(err)
	}
	defer pair.Close()
	for _, zstd := range []bool{false, true} {
		cfg := Config{Firmware: firmware, Heap: Heap{MiB: 16, Fill: Numbers, Mode: Read}, Network: pair.A}
		from, err := Start(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer from.Stop()
		cfg.Network, cfg.Incoming = pair.B, true
		to, err := Start(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer to.Stop()
		if err := from.Await(ctx, "ready\n."); err != nil {
			t.Fatal(err)
		}
		a, err := from.Migrate(ctx, to, pair.B.Address, Options{Downtime: 30 * time.Millisecond, Zstd: zstd})
		if err != nil {
			t.Fatal(err)
		}
		if a.Total <= 0 || a.Downtime <= 0 || a.Rounds < 2 {
			t.Errorf("the account is %+v", a)
		}
		t.Logf("%+v", a)
		if err := to.Await(ctx, ".."); err != nil {
			t.Fatal(err)
		}
	}
}
