package isa

import (
	"os/exec"
	"strings"
	"testing"
)

func TestLookups(t *testing.T) {
	for _, i := range All() {
		if ByName(i.Name) != i || ByOCI(i.OCI) != i || ByMachine(i.Machine) != i {
			t.Errorf("%s: a look-up by one of its own names does not find it", i.Name)
		}
		for n, l := range i.Levels {
			got, level, ok := ByLevel(l.Name)
			if !ok || got != i || level.Name != l.Name {
				t.Errorf("ByLevel(%q) = %v, %v, %v", l.Name, got, level, ok)
			}
			if i.Rank(l.Name) != n {
				t.Errorf("Rank(%q) = %d, want %d", l.Name, i.Rank(l.Name), n)
			}
		}
	}
	if ByName("vax") != nil || ByOCI("") != nil {
		t.Error("an unknown name found an ISA")
	}
	if _, _, ok := ByLevel("x86-64-v9"); ok {
		t.Error("an unknown level was found")
	}
}

func TestSupported(t *testing.T) {
	v2 := strings.Fields("cx16 lahf_lm popcnt pni ssse3 sse4_1 sse4_2")
	v3 := append(strings.Fields("avx avx2 bmi1 bmi2 f16c fma abm movbe xsave"), v2...)
	for _, tt := range []struct {
		features []string
		want     string
	}{
		{nil, ""},
		{v2, "x86-64-v2"},
		{v3, "x86-64-v2 x86-64-v3"},
		{v3[:9], ""}, // v3's own features alone do not make it a v3
		{append(strings.Fields("avx512f avx512bw avx512cd avx512dq avx512vl"), v3...),
			"x86-64-v2 x86-64-v3 x86-64-v4"},
	} {
		if got := strings.Join(X86_64.Supported(tt.features), " "); got != tt.want {
			t.Errorf("Supported(%v) = %q, want %q", tt.features, got, tt.want)
		}
	}
}

func TestDWARFColumns(t *testing.T) {
	for _, tt := range []struct {
		i    *ISA
		n    int
		want string
	}{
		{X86_64, X86_64.DWARFSP, "rsp"}, {X86_64, X86_64.DWARFPC, "rip"},
		{X86_64, 32, "xmm15"}, {X86_64, 49, "rflags"}, {X86_64, 50, ""}, {X86_64, -1, ""},
		{AArch64, AArch64.DWARFSP, "sp"}, {AArch64, AArch64.DWARFPC, "x30"},
		{AArch64, 32, "pc"}, {AArch64, 46, "vg"}, {AArch64, 48, "p0"}, {AArch64, 64, "v0"},
		{AArch64, 95, "v31"}, {AArch64, 96, ""},
	} {
		if got := tt.i.RegName(tt.n); got != tt.want {
			t.Errorf("%s: RegName(%d) = %q, want %q", tt.i.Name, tt.n, got, tt.want)
		}
	}
}

// The data layout of each ISA must be the one that clang gives its triple.
func TestDataLayoutIsClangs(t *testing.T) {
	clang, err := exec.LookPath("clang-19")
	if err != nil {
		t.Fatalf("%v (scripts/setup installs it)", err)
	}
	for _, i := range All() {
		for _, l := range i.Levels {
			cmd := exec.Command(clang, "--target="+i.Triple, "-march="+l.March, "-x", "c", "-S",
				"-emit-llvm", "-o", "-", "/dev/null")
			out, err := cmd.Output()
			if err != nil {
				t.Errorf("%s: %v", l.Name, err)
				continue
			}
			if want := `target datalayout = "` + i.DataLayout + `"`; !strings.Contains(string(out), want) {
				t.Errorf("%s: clang's output lacks %s", l.Name, want)
			}
		}
	}
}
