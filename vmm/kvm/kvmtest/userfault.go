package kvmtest

import (
	"os"
	"testing"

	"github.com/migrated/migrated/vmm/userfault"
)

// Userfault says whether memory can be filled on demand here, as post-copy does. Root's can, and on CI it
// ought to.
func Userfault(t testing.TB) bool {
	t.Helper()
	a, err := userfault.Open()
	if err == nil {
		a.Close()
		return true
	}
	if os.Getenv("CI") == "true" || os.Getuid() == 0 {
		t.Fatal(err)
	}
	t.Log(err)
	return false
}
