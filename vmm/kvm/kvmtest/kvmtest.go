// Package kvmtest is for tests that run VMs.
package kvmtest

import (
	"os"
	"testing"

	"github.com/migrated/migrated/vmm/kvm"
)

// Need skips a test on a machine without KVM, but not on CI, where it ought to be.
func Need(t testing.TB) {
	t.Helper()
	err := kvm.Available()
	if err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("CI must have KVM: %v", err)
	}
	t.Skip(err)
}
