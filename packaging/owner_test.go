package packaging

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

// owner is the number of the user to whom a file belongs.
func owner(t *testing.T, path string) uint32 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Uid
}

// uidOf finds migrated's number in a passwd file (passwd(5)).
func uidOf(t *testing.T, passwd string) string {
	t.Helper()
	for line := range strings.Lines(passwd) {
		if fields := strings.Split(line, ":"); len(fields) > 3 && fields[0] == "migrated" {
			return fields[2]
		}
	}
	t.Fatal("no account in:\n" + passwd)
	return ""
}
