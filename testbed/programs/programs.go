// Package programs builds real programs from Debian's source packages, unmodified and with
// their own build systems. A script per source package, in this directory, does the work.
package programs

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// Images are paths of image files, by the name of the program in each.
type Images map[string]string

// Build runs the script of that name in the checkout at root, which builds what the toolchain
// that stands there has not built before.
func Build(ctx context.Context, root, name string) (Images, error) {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, filepath.Join(root, "testbed/programs", name))
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("build %s: %w\n%s", name, err, end(stderr.Bytes()))
	}
	images := make(Images)
	for path := range strings.Lines(string(out)) {
		path = strings.TrimSpace(path)
		images[strings.TrimSuffix(filepath.Base(path), ".img")] = path
	}
	return images, nil
}

// end returns the last lines of what a build has printed.
func end(log []byte) []byte {
	const most = 4000 // bytes
	return bytes.TrimSpace(log[max(0, len(log)-most):])
}
