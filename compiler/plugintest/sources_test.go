package plugintest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/migrated/migrated/isa"
)

// compile compiles C as the toolchain does, to bitcode that migrated-check has not seen yet.
// The file's name in messages is the name without its directory.
func compile(t *testing.T, source string) []byte {
	t.Helper()
	return must(t, nil, "clang-19", "--target=riscv64-unknown-linux-musl", "-O2",
		"-Xclang", "-disable-llvm-passes", "-ffp-contract=off", "-gline-tables-only", "-Wall", "-Werror",
		"-fno-stack-protector", "-fno-unwind-tables", "-ffreestanding", "-fno-math-errno",
		"-fdebug-prefix-map="+filepath.Dir(source)+"/=",
		"-emit-llvm", "-c", source, "-o", "-")
}

// testdata/source/NAME.c is refused with what NAME.error says.
func TestRefusedSources(t *testing.T) {
	sources, err := filepath.Glob(filepath.Join(testdata, "source", "*.c"))
	if err != nil || len(sources) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	for _, source := range sources {
		stem := strings.TrimSuffix(source, ".c")
		t.Run(filepath.Base(stem), func(t *testing.T) {
			bitcode := compile(t, source)
			output := filepath.Join(t.TempDir(), "out.bc")
			_, stderr, failed := opt(t, bitcode, "-passes=migrated-check", "-o", output)
			if !failed {
				t.Fatalf("migrated-check accepts %s", source)
			}
			if exists(output) {
				t.Errorf("migrated-check writes an object although it fails")
			}
			compare(t, stderr, stem+".error")
		})
	}
}

// testdata/run/NAME.c is a program without libc that returns 0 from check() if it computes
// what it should. Each ISA's build of it does, natively or emulated. Without the core passes,
// which need a kernel: this is about what the others make of C.
func TestRun(t *testing.T) {
	sources, err := filepath.Glob(filepath.Join(testdata, "run", "*.c"))
	if err != nil || len(sources) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	for _, source := range sources {
		t.Run(strings.TrimSuffix(filepath.Base(source), ".c"), func(t *testing.T) {
			checked, stderr, failed := opt(t, compile(t, source), "-passes=migrated-check")
			if failed {
				t.Fatalf("migrated-check:\n%s", stderr)
			}
			program, stderr, failed := opt(t, checked, "-migrated-keep=check,constructors",
				"-passes=migrated-prepare,verify,default<O2>,migrated-fast-math,migrated-math,"+
					"migrated-release-library,migrated-forget-library,migrated-globals,verify",
				"-vectorize-loops=false", "-vectorize-slp=false")
			if failed {
				t.Fatalf("prepare:\n%s", stderr)
			}
			for _, i := range isa.All() {
				t.Run(i.Name, func(t *testing.T) { runBuild(t, i, program) })
			}
		})
	}
}

func runBuild(t *testing.T, i *isa.ISA, program []byte) {
	dir := t.TempDir()
	build, stderr, failed := opt(t, program, "-passes=migrated-target,verify",
		"-migrated-triple="+i.Triple, "-migrated-datalayout="+i.DataLayout)
	if failed {
		t.Fatalf("migrated-target:\n%s", stderr)
	}
	object, exe := filepath.Join(dir, "program.o"), filepath.Join(dir, "program")
	args := append([]string{"--target=" + i.Triple, "-march=" + i.Levels[0].March, "-O3", "-fno-pic",
		"-ffunction-sections"}, i.CodeGen...)
	bitcode := filepath.Join(dir, "program.bc")
	if err := os.WriteFile(bitcode, build, 0o644); err != nil {
		t.Fatal(err)
	}
	must(t, nil, "clang-19", append(args, "-c", "-x", "ir", bitcode, "-o", object)...)

	native := filepath.Join(dir, "native.o")
	must(t, nil, "clang-19", append(args, "-ffreestanding", "-nostdinc", "-c",
		filepath.Join("native", "start.c"), "-o", native)...)
	must(t, nil, "ld.lld-19", "-m", i.Emulation, "-static", "-o", exe, native, object,
		filepath.Join(i.GccLibDir, "libgcc.a"))
	must(t, nil, i.QEMUUser, exe)
}
