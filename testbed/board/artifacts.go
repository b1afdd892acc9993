package board

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
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

// buildInit compiles the board's first process and returns it. The file stays, so that the
// next time nothing need be linked; a lock keeps two processes from writing it at once.
func buildInit(root string) ([]byte, error) {
	dir := filepath.Join(root, "build/board")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	lock, err := os.Create(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return nil, fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	out := filepath.Join(dir, "init")
	if err := BuildARM64(root, "./testbed/board/init", out); err != nil {
		return nil, err
	}
	return os.ReadFile(out)
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

// Root returns the repository's directory, in which this was compiled.
func Root() (string, error) {
	_, here, _, _ := runtime.Caller(0)
	root := filepath.Dir(filepath.Dir(filepath.Dir(here)))
	if _, err := os.Stat(filepath.Join(root, "scripts/fetch-debian")); err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	return root, nil
}
