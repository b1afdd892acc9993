package kvm

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/migrated/migrated/vmm"
)

// Whoever cannot use KVM is told what to do.
func TestNoKVM(t *testing.T) {
	for _, tt := range []struct {
		err       error
		container bool
		want      string
	}{
		{unix.ENOENT, false, "load its module"},
		{unix.ENOENT, false, "nested virtualisation"},
		{unix.ENXIO, false, "load its module"},
		{unix.ENOENT, true, "--device /dev/kvm"},
		{unix.EACCES, false, "usermod -aG kvm"},
		{unix.EMFILE, false, "too many open files"},
	} {
		err := noKVM(tt.err, tt.container)
		if !errors.Is(err, vmm.ErrNoKVM) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("for %v: %v, want ErrNoKVM and %q", tt.err, err, tt.want)
		}
	}
}
