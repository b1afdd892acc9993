package board

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// systemPackages are a Debian system with systemd, in which packages can be installed.
var systemPackages = []string{"systemd", "udev", "dpkg", "dash", "coreutils", "libc-bin", "passwd", "login", "base-passwd", "diffutils", "grep", "sed", "procps"}

// BuildSystem fetches Debian's arm64 packages, once, and returns the directory for
// Config.System. What they depend on is there; maintainer scripts have not run.
func BuildSystem() (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	cmd := exec.Command(filepath.Join(root, "scripts/fetch-debian"), "system", strings.Join(systemPackages, " "))
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("fetch a Debian system: %w\n%s", err, out)
	}
	return filepath.Join(root, "build/arm64/system"), nil
}
