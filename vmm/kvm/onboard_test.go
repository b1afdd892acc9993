package kvm_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/testbed/board"
	"github.com/migrated/migrated/vmm/kvm"
)

// TestOnBoard runs the tests of this package on an emulated aarch64 board, whose KVM is real
// code on an emulated processor. One of them goes on there with a guest that left this
// machine.
func TestOnBoard(t *testing.T) {
	if runtime.GOARCH == isa.AArch64.OCI {
		t.Skip("this is an aarch64 machine: the other tests are enough")
	}
	if testing.Short() {
		t.Skip("boots a board: not with -short")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	dir := t.TempDir()
	files := map[string]string{"/bin/kvm.test": filepath.Join(dir, "kvm.test")}
	build := exec.CommandContext(ctx, "go", "test", "-c", "-o", files["/bin/kvm.test"], ".")
	build.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"probe", "vmmtest"} {
		for _, file := range program(t, name, isa.AArch64).write(t, dir) {
			files["/guests/"+file] = filepath.Join(dir, file)
		}
	}
	skip := "TestOnBoard"
	if kvm.Available() != nil {
		skip += "|TestArrive" // nothing can leave here
	} else {
		for _, file := range depart(t, dir) {
			files["/guests/"+file] = filepath.Join(dir, file)
		}
	}
	b, err := board.Start(ctx, board.Config{Files: files})
	check(t, err)
	defer b.Stop()
	var out bytes.Buffer
	status, err := b.Run(ctx, &out, &out, "/bin/kvm.test", "-test.v", "-test.timeout=5m", "-test.skip="+skip, "-guests=/guests")
	check(t, err)
	t.Logf("on the board:\n%s", out.String())
	if status != 0 {
		t.Errorf("status %d, console:\n%s", status, b.Console())
	}
	for _, name := range []string{"TestFaults", "TestDirtyLog", "TestUserfault", "TestPreCopy"} { // none was skipped
		if !strings.Contains(out.String(), "--- PASS: "+name) {
			t.Errorf("%s did not pass", name)
		}
	}
}
