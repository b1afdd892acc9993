package board

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// modules are what Debian's kernel needs for the board's network, in order of insertion.
var modules = []string{
	"net/core/failover.ko",
	"drivers/net/net_failover.ko",
	"drivers/virtio/virtio_mmio.ko",
	"drivers/net/virtio_net.ko",
}

// A kernel is Debian's for arm64, as unpacked from its package.
type kernel struct {
	image   string // path of vmlinuz
	modules string // directory of modules
}

// fetchKernel downloads and unpacks the package once.
func fetchKernel(root string) (kernel, error) {
	const pkg = "linux-image-arm64"
	cmd := exec.Command(filepath.Join(root, "scripts/fetch-debian"), "arm64", pkg)
	if out, err := cmd.CombinedOutput(); err != nil {
		return kernel{}, fmt.Errorf("fetch %s: %w\n%s", pkg, err, out)
	}
	dir := filepath.Join(root, "build/arm64", pkg)
	var k kernel
	for _, find := range []struct {
		pattern string
		to      *string
	}{{"boot/vmlinuz-*", &k.image}, {"lib/modules/*/kernel", &k.modules}} {
		found, err := filepath.Glob(filepath.Join(dir, find.pattern))
		if err != nil || len(found) != 1 {
			return kernel{}, fmt.Errorf("%d files match %s in %s, want 1: remove that directory to fetch it again", len(found), find.pattern, dir)
		}
		*find.to = found[0]
	}
	return k, nil
}

// buildInit compiles the board's first process.
func buildInit(root string) (string, error) {
	out := filepath.Join(root, "build/board/init")
	if err := BuildARM64(root, "./testbed/board/init", out); err != nil {
		return "", err
	}
	return out, nil
}

// BuildARM64 compiles a command of the repository at root into a static binary for a board.
func BuildARM64(root, pkg, out string) error {
	cmd := exec.Command("go", "build", "-o", out, pkg)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s for arm64: %w\n%s", pkg, err, text)
	}
	return nil
}

// writeInitramfs writes the board's root file system: init, the modules, and files, from
// their path on the board to their path here.
func writeInitramfs(to, init string, k kernel, files map[string]string) (err error) {
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	c := &cpio{w: f}
	dirs := map[string]bool{}
	c.parents(dirs, "dev/console")
	c.char("dev/console", 5, 1) // Documentation/admin-guide/devices.txt
	// What Go's resolver and os/user read.
	for _, text := range [...]struct{ name, content string }{
		{"etc/hosts", "127.0.0.1 localhost\n"},
		{"etc/passwd", "root:x:0:0:root:/:/bin/sh\n"},
	} {
		c.parents(dirs, text.name)
		c.file(text.name, 0o644, []byte(text.content))
	}
	add := func(name, from string, mode os.FileMode) error {
		data, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		c.parents(dirs, name)
		c.file(name, mode, data)
		return nil
	}
	if err := add("init", init, 0o755); err != nil {
		return err
	}
	for i, m := range modules {
		name := fmt.Sprintf("lib/modules/%02d-%s", i, filepath.Base(m))
		if err := add(name, filepath.Join(k.modules, m), 0o644); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !strings.HasPrefix(name, "/") || filepath.Clean(name) != name {
			return fmt.Errorf("path %q on the board is not absolute and clean", name)
		}
		info, err := os.Stat(files[name])
		if err != nil {
			return err
		}
		if err := add(name[1:], files[name], info.Mode()); err != nil {
			return err
		}
	}
	return c.close()
}

// parents adds the directories above name that are not there yet.
func (c *cpio) parents(dirs map[string]bool, name string) {
	dir := filepath.Dir(name)
	if dir == "." || dirs[dir] {
		return
	}
	c.parents(dirs, dir)
	c.dir(dir)
	dirs[dir] = true
}

// Root returns the repository's directory, in which this was compiled.
func Root() (string, error) {
	_, here, _, _ := runtime.Caller(0)
	root := filepath.Dir(filepath.Dir(filepath.Dir(here)))
	if _, err := os.Stat(filepath.Join(root, "scripts/fetch-debian")); err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	return root, nil
}
