// Package packaging has no code: its test builds the Debian packages and installs them.
package packaging

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// command runs a program in a directory and returns what it prints.
func command(t *testing.T, dir string, env []string, words ...string) string {
	t.Helper()
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(words, " "), err, out, stderr.String())
	}
	return string(out)
}

// build builds packages and returns their files, in the order of the names.
func build(t *testing.T, out string, names ...string) []string {
	t.Helper()
	files := strings.Fields(command(t, ".", nil, append([]string{"./deb", "--out", out}, names...)...))
	if len(files) != len(names) {
		t.Fatalf("%v gave %v", names, files)
	}
	return files
}

var (
	once   = make(map[string]string) // packages that have been built, by name
	onceIn string                    // where they are
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "deb")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	onceIn = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// built is build of one package, once for all tests.
func built(t *testing.T, name string) string {
	t.Helper()
	if once[name] == "" {
		once[name] = build(t, onceIn, name)[0]
	}
	return once[name]
}

// A root is a scratch system that packages are installed into.
type root struct {
	t   *testing.T
	dir string
}

// newRoot makes a root with the accounts of a Debian system and an empty dpkg database.
func newRoot(t *testing.T) *root {
	t.Helper()
	r := &root{t, t.TempDir()}
	for path, text := range map[string]string{
		"etc/passwd":          "root:x:0:0:root:/root:/bin/sh\n",
		"etc/group":           "root:x:0:\nkvm:x:107:\n",
		"etc/shadow":          "root:*:19000:0:99999:7:::\n",
		"etc/gshadow":         "root:*::\n",
		"var/lib/dpkg/status": "",
	} {
		if err := os.MkdirAll(filepath.Dir(r.path(path)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(r.path(path), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{"var/lib/dpkg/info", "var/lib/dpkg/updates", "var/log", "run"} {
		if err := os.MkdirAll(r.path(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func (r *root) path(name string) string { return filepath.Join(r.dir, name) }

// dpkg runs dpkg on the root. Maintainer scripts run outside of it, with DPKG_ROOT; what a
// package depends on is not there.
func (r *root) dpkg(words ...string) {
	r.t.Helper()
	command(r.t, ".", nil, append([]string{"dpkg", "--root=" + r.dir, "--force-script-chrootless", "--force-depends"}, words...)...)
}

func (r *root) read(name string) string {
	r.t.Helper()
	b, err := os.ReadFile(r.path(name))
	if err != nil {
		r.t.Fatal(err)
	}
	return string(b)
}

func (r *root) exists(name string) bool {
	_, err := os.Lstat(r.path(name))
	return err == nil
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can install packages")
	}
}

// TestInstall installs the amd64 package, upgrades it over a changed configuration, removes
// and purges it.
func TestInstall(t *testing.T) {
	needRoot(t)
	deb := built(t, "migrated_amd64")
	r := newRoot(t)
	r.dpkg("--install", deb)

	version := strings.TrimSpace(command(t, ".", nil, "dpkg-deb", "--field", deb, "Version"))
	for _, name := range []string{"migrated", "migratectl"} {
		if got := command(t, ".", nil, r.path("usr/bin/"+name), "--version"); got != name+" version "+version+"\n" {
			t.Errorf("%s says %q, and the package's version is %s", name, got, version)
		}
	}
	if got := command(t, ".", nil, r.path("usr/bin/migratectl"), "--help"); !strings.Contains(got, "offload") {
		t.Errorf("migratectl says %q", got)
	}
	if got := command(t, ".", nil, r.path("usr/bin/migrated"), "--check", "--config", r.path("etc/migrated/migrated.toml")); !strings.Contains(got, "good") {
		t.Errorf("the configuration: %q", got)
	}
	passwd := r.read("etc/passwd")
	if strings.Count(passwd, "\nmigrated:") != 1 || !strings.Contains(passwd, "/usr/sbin/nologin") || !strings.Contains(r.read("etc/group"), "\nmigrated:") {
		t.Errorf("the account is missing:\n%s%s", passwd, r.read("etc/group"))
	}
	state, err := os.Stat(r.path("var/lib/migrated"))
	if err != nil || state.Mode().Perm() != 0o700 {
		t.Errorf("state directory: %v, %v", state, err)
	}
	if want := uidOf(t, passwd); fmt.Sprint(owner(t, r.path("var/lib/migrated"))) != want {
		t.Errorf("the state directory is %d's, not %s's", owner(t, r.path("var/lib/migrated")), want)
	}
	const wanted = "etc/systemd/system/multi-user.target.wants/migrated.service"
	if !r.exists(wanted) {
		t.Error("the service is not enabled")
	}
	for _, script := range []string{"usr/share/bash-completion/completions/migratectl", "usr/share/zsh/vendor-completions/_migratectl", "usr/share/fish/vendor_completions.d/migratectl.fish"} {
		if !strings.Contains(r.read(script), "migratectl") {
			t.Errorf("%s completes nothing", script)
		}
	}
	for page, summary := range map[string]string{
		"man1/migratectl.1":             "migratectl - Run VMs",
		"man1/migratectl-offload.1":     "migratectl-offload - Move a VM",
		"man1/migratectl-trust-token.1": "migratectl-trust-token - ",
		"man8/migrated.8":               "migrated - Run VMs",
		"man8/migrated-join.8":          "migrated-join - Enrol this node",
	} {
		checkPage(t, r.path("usr/share/man/"+page+".gz"), summary)
	}
	if r.exists("usr/share/man/man8/migrated-vm.8.gz") {
		t.Error("a hidden command has a manual page")
	}
	unit := r.path("usr/lib/systemd/system/migrated.service")
	for _, target := range []string{"sysinit", "basic", "shutdown", "network-online", "multi-user"} {
		if err := os.WriteFile(r.path("usr/lib/systemd/system/"+target+".target"), []byte("[Unit]\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	command(t, ".", nil, "systemd-analyze", "verify", "--man=no", "--root="+r.dir, unit)
	command(t, ".", nil, "systemd-analyze", "security", "--offline=yes", "--threshold=20", unit)

	// The administrator's configuration and choice hold over an upgrade; the account is made once.
	mine := "name = \"mine\"\n"
	if err := os.WriteFile(r.path("etc/migrated/migrated.toml"), []byte(mine), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(r.path(wanted)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(r.path("var/lib/migrated/journal.db"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.dpkg("--install", deb)
	if r.read("etc/migrated/migrated.toml") != mine || r.exists(wanted) || r.read("etc/passwd") != passwd {
		t.Error("an upgrade changed what is the administrator's")
	}
	r.dpkg("--remove", "migrated")
	if r.exists("usr/bin/migrated") || !r.exists("etc/migrated/migrated.toml") || !r.exists("var/lib/migrated/journal.db") {
		t.Error("removal left the program, or took configuration or state")
	}
	r.dpkg("--purge", "migrated")
	if r.exists("etc/migrated") || r.exists("var/lib/migrated") {
		t.Error("purging left configuration or state")
	}
}

// checkPage checks that a manual page has a name and a summary, and not the name of the machine
// that built it.
func checkPage(t *testing.T, path, summary string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	page := strings.ReplaceAll(string(text), "\\", "")
	if !strings.Contains(page, ".SH NAME\n"+summary) || !strings.Contains(page, ".SH DESCRIPTION\n") {
		t.Errorf("%s has no summary %q:\n%s", path, summary, text)
	}
	if regexp.MustCompile(`--namefP fIstringfP\n.*\n\(default `).MatchString(page) {
		t.Errorf("%s has a default name, that of the machine that built it:\n%s", path, text)
	}
}

// TestBoard looks at what is in the arm64 package: static programs for that machine, and the
// same files as in the other.
func TestBoard(t *testing.T) {
	debs := []string{built(t, "migrated_arm64"), built(t, "migrated_amd64")}
	if arch := command(t, ".", nil, "dpkg-deb", "--field", debs[0], "Architecture"); arch != "arm64\n" {
		t.Errorf("architecture %q", arch)
	}
	dir := t.TempDir()
	command(t, ".", nil, "dpkg-deb", "--extract", debs[0], dir)
	for _, name := range []string{"migrated", "migratectl"} {
		f, err := elf.Open(filepath.Join(dir, "usr/bin", name))
		if err != nil {
			t.Fatal(err)
		}
		if f.Machine != elf.EM_AARCH64 {
			t.Errorf("%s is for %v", name, f.Machine)
		}
		if libs, err := f.ImportedLibraries(); err != nil || len(libs) > 0 || slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
			t.Errorf("%s is not static: %v, %v", name, libs, err)
		}
		f.Close()
	}
	var lists [2]string
	for i, deb := range debs {
		for _, line := range strings.Split(command(t, ".", nil, "dpkg-deb", "--contents", deb), "\n") {
			if fields := strings.Fields(line); len(fields) >= 6 {
				lists[i] += fields[0] + " " + fields[1] + " " + fields[5] + "\n"
			}
		}
	}
	if lists[0] != lists[1] || !strings.Contains(lists[0], "-rwxr-xr-x root/root ./usr/bin/migrated\n") {
		t.Errorf("arm64:\n%s\namd64:\n%s", lists[0], lists[1])
	}
}

// TestReproducible builds a package a second time.
func TestReproducible(t *testing.T) {
	first, err := os.ReadFile(built(t, "migrated_amd64"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := os.ReadFile(build(t, t.TempDir(), "migrated_amd64")[0])
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Error("the same commit gave other bytes")
	}
}

// TestCompiler installs migrated-dev and builds a program with it, far from the source tree.
func TestCompiler(t *testing.T) {
	needRoot(t)
	if _, err := os.Stat("../build/lib/migrated-passes.so"); err != nil {
		t.Fatal("make build has not been run: ", err)
	}
	r := newRoot(t)
	r.dpkg("--install", built(t, "migrated-dev_amd64"))
	checkPage(t, r.path("usr/share/man/man1/migratecc.1.gz"), "migratecc - compile C")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "hello.c"), []byte("#include <stdio.h>\nint main(void) { puts(\"hello\"); }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	env := []string{"MIGRATED_SYSROOT=", "MIGRATED_CACHE=off"}
	command(t, dir, env, r.path("usr/bin/migratecc"), "-O2", "-o", "hello.img", "hello.c")
	sysroot := strings.TrimSpace(command(t, dir, env, r.path("usr/bin/migratecc"), "-print-sysroot"))
	if sysroot != r.path("usr/lib/migrated/sysroot") {
		t.Errorf("it uses the sysroot %s", sysroot)
	}
	if info, err := os.Stat(filepath.Join(dir, "hello.img")); err != nil || info.Size() == 0 {
		t.Errorf("image: %v, %v", info, err)
	}
}
