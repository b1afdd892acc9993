package tender

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"github.com/migrated/migrated/vmm/hostabi"
)

// TestStubsAreAssembled compares the checked-in stubs with their sources.
func TestStubsAreAssembled(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.Command("stub/build.sh", dir).CombinedOutput(); err != nil {
		t.Fatalf("stub/build.sh (clang-19 and llvm-19 are in scripts/setup's packages): %v\n%s", err, out)
	}
	for name, embedded := range map[string][]byte{
		"start_x86_64.bin": startX86_64, "gate_x86_64.bin": gateX86_64,
		"start_aarch64.bin": startAArch64, "gate_aarch64.bin": gateAArch64,
	} {
		assembled, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if len(assembled) == 0 || !bytes.Equal(assembled, embedded) {
			t.Errorf("%s is stale: run vmm/tender/stub/build.sh", name)
		}
		if len(embedded) > hostabi.PageSize {
			t.Errorf("%s does not fit into a page", name)
		}
	}
}

// TestStubLayout compares what the stubs' assembly knows with what Go knows.
func TestStubLayout(t *testing.T) {
	var ctl hostabi.Ctl
	var header tableHeader
	var src strings.Builder
	src.WriteString("#include \"stub/layout.h\"\n")
	for name, want := range map[string]uint64{
		"STUB_BASE": stubBase, "STUB_TABLE": stubTable, "STUB_CODE": stubCode,
		"STUB_ALTSTACK": stubAltStack, "STUB_ALTSIZE": stubAltSize,
		"EXIT_CRASHED": exitCrashed, "EXIT_SETUP": exitSetup, "EXIT_REGION": exitRegion,
		"TABLE_ENTRY":    uint64(unsafe.Offsetof(header.Entry)),
		"TABLE_STACK":    uint64(unsafe.Offsetof(header.Stack)),
		"TABLE_FDS":      uint64(unsafe.Offsetof(header.FDs)),
		"TABLE_COUNT":    uint64(unsafe.Offsetof(header.Count)),
		"TABLE_REGION":   uint64(unsafe.Sizeof(header)),
		"REGION_SIZE":    uint64(unsafe.Sizeof(tableRegion{})),
		"FUTEX_WAIT":     futexWait,
		"FUTEX_WAKE":     futexWake,
		"GATE_BASE":      hostabi.GateBase,
		"CTL_BELL":       hostabi.CtlBase + uint64(unsafe.Offsetof(ctl.Bell)),
		"CTL_ACK":        hostabi.CtlBase + uint64(unsafe.Offsetof(ctl.Ack)),
		"CTL_CRASH_KIND": hostabi.CtlBase + uint64(unsafe.Offsetof(ctl.Crash)+unsafe.Offsetof(ctl.Crash.Kind)),
		"CTL_CRASH_CODE": hostabi.CtlBase + uint64(unsafe.Offsetof(ctl.Crash)+unsafe.Offsetof(ctl.Crash.Code)),
		"CTL_CRASH_ADDR": hostabi.CtlBase + uint64(unsafe.Offsetof(ctl.Crash)+unsafe.Offsetof(ctl.Crash.Addr)),
		"CTL_CRASH_PC":   hostabi.CtlBase + uint64(unsafe.Offsetof(ctl.Crash)+unsafe.Offsetof(ctl.Crash.PC)),
		"CTL_CRASH_REGS": hostabi.CtlBase + uint64(unsafe.Offsetof(ctl.Crash)+unsafe.Offsetof(ctl.Crash.Regs)),
	} {
		fmt.Fprintf(&src, "_Static_assert(%s == %#x, %q);\n", name, want, name)
	}
	cmd := exec.Command("clang-19", "-fsyntax-only", "-x", "c", "-I", ".", "-")
	cmd.Stdin = strings.NewReader(src.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("stub/layout.h disagrees with Go: %v\n%s", err, out)
	}
}
