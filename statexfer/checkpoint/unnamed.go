package checkpoint

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// begin makes the file that is to be called path, without a name as yet: so the kernel removes it
// when its writer is killed. Where it cannot be made so, it has a temporary name.
func begin(path string) (f *os.File, temporary string, err error) {
	dir := filepath.Dir(path)
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
	if err == nil {
		f := os.NewFile(uintptr(fd), path)
		if _, err := os.Stat(handle(f)); err == nil {
			return f, "", nil
		}
		f.Close() // without /proc it could not get its name
	}
	f, err = os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if err != nil {
		return nil, "", err
	}
	return f, f.Name(), nil
}

// handle is a file's path where it has none of its own.
func handle(f *os.File) string { return fmt.Sprintf("/proc/self/fd/%d", f.Fd()) }

// giveName gives a file that has no name a temporary one beside path, as a link cannot take the
// place of a file that is there.
func giveName(f *os.File, path string) (temporary string, err error) {
	for {
		name := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.%d", filepath.Base(path), rand.Uint32()))
		err := unix.Linkat(unix.AT_FDCWD, handle(f), unix.AT_FDCWD, name, unix.AT_SYMLINK_FOLLOW)
		if err == nil {
			return name, nil
		}
		if !errors.Is(err, unix.EEXIST) {
			return "", fmt.Errorf("name %s: %w", path, err)
		}
	}
}
