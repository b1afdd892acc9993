// Package kernel has no Go code: this tests the portable part of the library OS, and what of
// the native part is plain C, as ordinary processes of this machine. testdata/harness.c
// plays the host, and each driver in testdata checks one part.
package kernel

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const sysroot = "../build/sysroot"

// portable lists the kernel's portable files but for some.
func portable(t *testing.T, but ...string) []string {
	t.Helper()
	files, err := filepath.Glob("portable/*.c")
	if err != nil || len(files) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	return slices.DeleteFunc(files, func(path string) bool {
		return slices.Contains(but, filepath.Base(path))
	})
}

// compile compiles C files to objects, trapping on undefined behaviour.
func compile(t *testing.T, dir string, files []string, flags ...string) []string {
	t.Helper()
	var objects []string
	for _, file := range files {
		object := filepath.Join(dir, strings.ReplaceAll(file, "/", "_")+".o")
		args := append([]string{
			"-std=gnu11", "-g", "-O1", "-ffreestanding", "-fno-strict-aliasing", "-fno-pie",
			"-fsanitize=undefined", "-fsanitize-trap=undefined",
			"-Wall", "-Werror", "-Iinclude", "-Inative", "-Itestdata", "-I../build/kernel",
		}, flags...)
		args = append(args, "-c", file, "-o", object)
		if out, err := exec.Command("clang-19", args...).CombinedOutput(); err != nil {
			t.Fatalf("compile %s: %v\n%s", file, err, out)
		}
		objects = append(objects, object)
	}
	return objects
}

func TestPortable(t *testing.T) {
	if _, err := os.Stat(filepath.Join(sysroot, "include", "errno.h")); err != nil {
		t.Fatalf("no libc headers: run make sysroot first: %v", err)
	}
	dir := t.TempDir()
	// Against libc's headers, like the kernel itself.
	libc := []string{"-nostdlibinc", "-isystem", sysroot + "/include", "-D_XOPEN_SOURCE=700"}
	// These need a program, or its boot blob.
	kernel := compile(t, dir, portable(t, "entry.c", "boot.c"), libc...)
	boot := compile(t, dir, []string{"portable/boot.c"}, libc...)
	harness := compile(t, dir, []string{"testdata/harness.c"})
	rename := []string{"-fno-builtin"}
	for _, name := range []string{"memcpy", "memmove", "memset", "memcmp", "bcmp"} {
		rename = append(rename, fmt.Sprintf("-D%s=mig_%s", name, name))
	}
	tests := []struct {
		name  string
		parts []string
		want  string // last line of output
	}{
		{"page", kernel, "ok"},
		{"chacha20", kernel, "ok"},
		{"records", kernel, "ok"},
		{"files", kernel, "ok"},
		{"console", kernel, "ok"},
		{"poll", kernel, "ok"},
		{"pipe", kernel, "ok"},
		{"store", kernel, "ok"},
		{"clock", kernel, "ok"},
		{"memory", kernel, "ok"},
		{"futex", kernel, "ok"},
		{"timer", kernel, "ok"},
		{"signal", kernel, "exit 129 signal 1"},
		{"boot", append(boot, kernel...), "ok"},
		{"string", compile(t, dir, []string{"native/string.c"}, rename...), "ok"},
		{"lsda", compile(t, dir, []string{"native/lsda.c"}), "ok"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			driver := compile(t, dir, []string{"testdata/" + tt.name + ".c"}, libc...)
			program := filepath.Join(dir, tt.name)
			args := append([]string{"-no-pie", "-o", program}, driver...)
			args = append(append(args, harness...), tt.parts...)
			if out, err := exec.Command("clang-19", args...).CombinedOutput(); err != nil {
				t.Fatalf("link: %v\n%s", err, out)
			}
			seed := rand.Uint64()
			out, err := exec.Command(program, fmt.Sprint(seed)).CombinedOutput()
			lines := strings.Split(strings.TrimSpace(string(out)), "\n")
			if err != nil || lines[len(lines)-1] != tt.want {
				t.Errorf("seed %d: %v, output %q, want %q at its end", seed, err, out, tt.want)
			}
		})
	}
}
