package hostabi

import (
	"debug/dwarf"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

const header = "../../kernel/include/host_abi.h"

// constants names every MIG_ macro of the header that is a number.
var constants = map[string]uint64{
	"MIG_ABI_VERSION":     Version,
	"MIG_CTL_BASE":        CtlBase,
	"MIG_GATE_BASE":       GateBase,
	"MIG_DOORBELL_BASE":   DoorbellBase,
	"MIG_OUT_RING_BASE":   OutRingBase,
	"MIG_IN_RING_BASE":    InRingBase,
	"MIG_TEXT_BASE":       TextBase,
	"MIG_PRIVATE_BASE":    PrivateBase,
	"MIG_PORTABLE_BASE":   PortableBase,
	"MIG_STATIC_BASE":     StaticBase,
	"MIG_CPU_STACK_BASE":  CPUStackBase,
	"MIG_CPU_STACK_SIZE":  CPUStackSize,
	"MIG_STACK_BASE":      StackBase,
	"MIG_STACK_STRIDE":    StackStride,
	"MIG_STACK_SIZE":      StackSize,
	"MIG_STACK_SIZE_REST": StackSizeRest,
	"MIG_THREADS_MAX":     MaxThreads,
	"MIG_PAGE_SIZE":       PageSize,
	"MIG_PEND_MIGRATE":    PendMigrate,
	"MIG_PEND_STOP":       PendStop,
	"MIG_PEND_INPUT":      PendInput,
	"MIG_PEND_ALARM":      PendAlarm,
	"MIG_PEND_COUNT":      PendCount,
	"MIG_BOOT_START":      BootStart,
	"MIG_BOOT_RESUME":     BootResume,
	"MIG_OP_FLUSH":        OpFlush,
	"MIG_OP_WAIT":         OpWait,
	"MIG_OP_EXIT":         OpExit,
	"MIG_OP_LEFT":         OpLeft,
	"MIG_OP_RESUMED":      OpResumed,
	"MIG_OP_PANIC":        OpPanic,
	"MIG_OP_CLOCK":        OpClock,
	"MIG_OP_LOG":          OpLog,
	"MIG_OP_RECORDS":      OpRecords,
	"MIG_OP_ALARM":        OpAlarm,
	"MIG_PANIC_KERNEL":    PanicKernel,
	"MIG_PANIC_ABORT":     PanicAbort,
	"MIG_PANIC_OOM":       PanicOOM,
	"MIG_RING_SIZE":       RingSize,
	"MIG_STREAM_STDOUT":   StreamStdout,
	"MIG_STREAM_STDERR":   StreamStderr,
}

// notNumbers are the header's other macros.
var notNumbers = map[string]bool{"MIG_CTL": true, "MIG_OUT_RING": true, "MIG_IN_RING": true}

func clang(t *testing.T, stdin string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("clang-19", args...)
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("compile the header (clang-19 is in scripts/setup's packages): %v", err)
	}
	return out
}

func TestConstants(t *testing.T) {
	macros := clang(t, "", "-dM", "-E", header)
	var names []string
	for line := range strings.Lines(string(macros)) {
		f := strings.Fields(line)
		if len(f) >= 3 && strings.HasPrefix(f[1], "MIG_") && !notNumbers[f[1]] {
			names = append(names, f[1])
		}
	}
	if len(names) < len(constants) {
		t.Errorf("header has %d constants, the mirror %d", len(names), len(constants))
	}
	// The compiler evaluates the macros: many are expressions.
	var src strings.Builder
	fmt.Fprintf(&src, "#include %q\n", header)
	for _, n := range names {
		want, ok := constants[n]
		if !ok {
			t.Errorf("%s has no mirror", n)
			continue
		}
		fmt.Fprintf(&src, "_Static_assert((unsigned long long)(%s) == %#xull, \"%s\");\n", n, want, n)
	}
	clang(t, src.String(), "-fsyntax-only", "-x", "c", "-")
}

// TestLayout compares the structures, as clang's debug information has them, with Go's.
func TestLayout(t *testing.T) {
	for _, triple := range []string{"x86_64-linux-gnu", "aarch64-linux-gnu"} {
		structs := cStructs(t, triple)
		for name, typ := range map[string]reflect.Type{
			"mig_ctl":     reflect.TypeFor[Ctl](),
			"mig_ring":    reflect.TypeFor[Ring](),
			"mig_crash":   reflect.TypeFor[Crash](),
			"mig_records": reflect.TypeFor[Records](),
		} {
			c := structs[name]
			if c == nil {
				t.Fatalf("%s: no struct %s", triple, name)
			}
			if uint64(c.ByteSize) != uint64(typ.Size()) {
				t.Errorf("%s: struct %s has %d bytes, Go's has %d", triple, name, c.ByteSize, typ.Size())
			}
			if len(c.Field) != typ.NumField() {
				t.Fatalf("%s: struct %s has %d fields, Go's has %d", triple, name, len(c.Field), typ.NumField())
			}
			for i, cf := range c.Field {
				gf := typ.Field(i)
				if gf.Name == "_" {
					gf.Name = "pad"
				}
				cname := strings.TrimRight(strings.ReplaceAll(cf.Name, "_", ""), "01")
				if !strings.EqualFold(cname, gf.Name) {
					t.Errorf("%s.%s is mirrored by %s", name, cf.Name, gf.Name)
				}
				if uint64(cf.ByteOffset) != uint64(gf.Offset) || uint64(cf.Type.Size()) != uint64(gf.Type.Size()) {
					t.Errorf("%s: %s.%s at %#x, %d bytes; Go's at %#x, %d bytes", triple, name, cf.Name,
						cf.ByteOffset, cf.Type.Size(), gf.Offset, gf.Type.Size())
				}
			}
		}
	}
}

func cStructs(t *testing.T, triple string) map[string]*dwarf.StructType {
	t.Helper()
	obj := filepath.Join(t.TempDir(), "abi.o")
	src := fmt.Sprintf("#include %q\nstruct mig_ctl c; struct mig_ring r; struct mig_records s;\n", header)
	clang(t, src, "--target="+triple, "-ffreestanding", "-g", "-c", "-x", "c", "-o", obj, "-")
	f, err := elf.Open(obj)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d, err := f.DWARF()
	if err != nil {
		t.Fatal(err)
	}
	structs := map[string]*dwarf.StructType{}
	for r := d.Reader(); ; {
		e, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if e == nil {
			return structs
		}
		if e.Tag != dwarf.TagStructType {
			continue
		}
		typ, err := d.Type(e.Offset)
		if err != nil {
			t.Fatal(err)
		}
		s := typ.(*dwarf.StructType)
		structs[s.StructName] = s
	}
}
