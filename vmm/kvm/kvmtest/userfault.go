package kvmtest

import (
	"os"
	"testing"

	"github.com/migrated/migrated/vmm/userfault"
)

// Userfault opens what fills memory on demand, as post-copy does; nil: that is not possible here. Root's can, and
// on CI it ought to.
func Userfault(t testing.TB) *userfault.Area {
	t.Helper()
	a, err := userfault.Open()
	if err == nil {
		return a
	}
	if os.Getenv("CI") == "true" || os.Getuid() == 0 {
		t.Fatal(err)
	}
	t.Log(err)
	return nil
}
