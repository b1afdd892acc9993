package cgroup

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	const hybrid = "5:memory:/a\n1:name=systemd:/x\n0::/system.slice/migrated.service/vm-1\n"
	group, err := groupOf(hybrid)
	if err != nil || group != "/system.slice/migrated.service/vm-1" {
		t.Errorf("%q, %v", group, err)
	}
	if _, err := groupOf("5:memory:/a\n"); err == nil {
		t.Error("cgroup v1 alone has a group")
	}
	for _, test := range []struct{ mounts, want string }{
		{"22 1 0:5 / /proc rw - proc proc rw\n30 23 0:26 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw\n", "/sys/fs/cgroup/system.slice/x"},
		{"30 23 0:26 / /sys/fs/cgroup/unified rw - cgroup2 none rw\n", "/sys/fs/cgroup/unified/system.slice/x"},
		{"30 23 0:26 /system.slice /mnt/my\\040group rw - cgroup2 none rw\n", "/mnt/my group/x"},
		{"30 23 0:26 /other /mnt rw - cgroup2 none rw\n", ""},
		{"30 23 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n", ""},
		{"nonsense\n - \n", ""},
	} {
		got, err := locate(test.mounts, "/system.slice/x")
		if got != test.want || (err != nil) != (test.want == "") {
			t.Errorf("%q: %q, %v, want %q", test.mounts, got, err, test.want)
		}
	}
}

// A group that cannot be divided is left as it is, and the error says what to do.
func TestOpenRefuses(t *testing.T) {
	for _, test := range []struct {
		files map[string]string
		want  string
	}{
		{map[string]string{"cgroup.controllers": "memory"}, "the machine's root group"},
		{map[string]string{"cgroup.type": "domain", "cgroup.controllers": "cpu pids"}, `its controllers are ["cpu" "pids"] (Delegate=`},
		{map[string]string{"cgroup.type": "domain", "cgroup.controllers": "memory", "cgroup.subtree_control": "", "cgroup.procs": "1\n"}, "with other processes (1 is one)"},
	} {
		dir := t.TempDir()
		for name, text := range test.files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := open(dir); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v, want %q", test.files, err, test.want)
		}
		if _, err := os.Stat(filepath.Join(dir, own)); err == nil {
			t.Errorf("%v: something is left", test.files)
		}
	}
}
