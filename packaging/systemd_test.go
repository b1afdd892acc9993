package packaging

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/migrated/migrated/testbed/board"
	"github.com/migrated/migrated/vmm/vmmtest"
)

// A machine is a board on which Debian's systemd runs.
type machine struct {
	t   *testing.T
	ctx context.Context
	*board.Board
}

// try runs a command there and returns what it prints, and its status.
func (m *machine) try(words ...string) (string, int) {
	m.t.Helper()
	var out bytes.Buffer
	status, err := m.Run(m.ctx, &out, &out, words...)
	if err != nil {
		m.t.Fatalf("%s: %v", strings.Join(words, " "), err)
	}
	return strings.TrimSpace(out.String()), status
}

// do runs a command there that must succeed.
func (m *machine) do(words ...string) string {
	m.t.Helper()
	out, status := m.try(words...)
	if status != 0 {
		journal, _ := m.try("journalctl", "--no-pager", "-n", "40")
		m.t.Fatalf("%s: status %d\n%s\n%s", strings.Join(words, " "), status, out, journal)
	}
	return out
}

// await runs a command until it prints something that holds a text.
func (m *machine) await(want string, words ...string) {
	m.t.Helper()
	for {
		out, _ := m.try(words...)
		if strings.Contains(out, want) {
			return
		}
		select {
		case <-m.ctx.Done():
			m.t.Fatalf("%s never says %q:\n%s", strings.Join(words, " "), want, out)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// group is what inspect says of a VM's control group.
func (m *machine) group(vm string) string {
	m.t.Helper()
	var record struct {
		State       string
		Confinement []struct{ Means, Answer, Note string }
	}
	if err := json.Unmarshal([]byte(m.do("migratectl", "-o", "json", "inspect", vm)), &record); err != nil {
		m.t.Fatal(err)
	}
	if record.State != "running" {
		m.t.Fatalf("the VM is %s", record.State)
	}
	for _, c := range record.Confinement {
		if c.Means == "control group" {
			return c.Answer + ": " + c.Note
		}
	}
	return "not said"
}

// limits are what the kernel holds a VM's control group to.
func (m *machine) limits() string {
	m.t.Helper()
	return m.do("sh", "-c", `cd /sys/fs/cgroup/system.slice/migrated.service && for g in $(grep -l . vm-*/cgroup.procs); do
		g=${g%/*}; [ "$(cat $g/memory.max)" = max ] || echo $(cat $g/memory.max $g/cpu.max $g/pids.max); done`)
}

// TestService installs the arm64 package on a board that systemd runs: the service starts as its
// user, confined as the unit says; a VM has a control group with limits, and goes on over a
// restart, a crash and an upgrade of the daemon, and not over the package's removal.
func TestService(t *testing.T) {
	if testing.Short() {
		t.Skip("boots a board: not with -short")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 12*time.Minute)
	defer cancel()
	deb := built(t, "migrated_arm64")
	system, err := board.BuildSystem()
	if err != nil {
		t.Fatal(err)
	}
	img := filepath.Join(t.TempDir(), "guest.img")
	if err := os.WriteFile(img, vmmtest.Image(t), 0o644); err != nil {
		t.Fatal(err)
	}
	b, err := board.Start(ctx, board.Config{
		System: system, Memory: 1 << 30,
		Files: map[string]string{"/root/migrated.deb": deb, "/root/guest.img": img},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Stop()
	m := &machine{t, ctx, b}
	m.await("private", "ls", "/run/systemd")
	m.await("active", "sh", "-c", "systemctl is-active multi-user.target | grep -x active")

	m.do("dpkg", "--install", "/root/migrated.deb")
	m.do("systemctl", "is-active", "migrated")
	if got := m.do("systemctl", "show", "--value", "-p", "User", "-p", "StatusText", "migrated"); !strings.Contains(got, "migrated") || !strings.Contains(got, "VMs") {
		t.Errorf("the service is %q", got)
	}
	if got := m.do("stat", "-c", "%G", "/dev/userfaultfd"); got != "migrated" {
		t.Errorf("/dev/userfaultfd is of group %s", got)
	}
	if got := m.do("stat", "-c", "%U:%G %a", "/run/migrated/migrated.sock", "/var/lib/migrated"); got != "migrated:migrated 660\nmigrated:migrated 700" {
		t.Errorf("socket and state: %q", got)
	}

	m.do("migratectl", "run", "--detach", "--name", "nap", "--memory", "16M", "/root/guest.img", "--", "sleep", "6000000")
	const limits = "218628096 400000 100000 512" // (16 + 192.5) MiB, 4 processors, threads
	check := func(when string) {
		t.Helper()
		if got := m.group("nap"); !strings.HasPrefix(got, "yes: ") {
			t.Errorf("%s: control group %s", when, got)
		}
		if got := m.limits(); got != limits {
			t.Errorf("%s: the kernel's limits are %q, want %q", when, got, limits)
		}
	}
	check("started")

	m.do("systemctl", "reload", "migrated")
	m.do("systemctl", "restart", "migrated")
	check("restarted")
	before := m.do("systemctl", "show", "--value", "-p", "MainPID", "migrated")
	m.do("kill", "-KILL", before)
	m.await("active", "sh", "-c", fmt.Sprintf(`[ "$(systemctl show --value -p MainPID migrated)" != %s ] && systemctl is-active migrated`, before))
	m.await("running", "migratectl", "ps")
	check("crashed")
	m.do("dpkg", "--install", "/root/migrated.deb")
	check("upgraded")
	m.do("systemctl", "stop", "migrated")
	m.do("systemctl", "start", "migrated")
	check("stopped and started")

	m.do("dpkg", "--remove", "migrated")
	m.await("none", "sh", "-c", "pgrep migrated || echo none")
	if got := m.do("ls", "/var/lib/migrated"); !strings.Contains(got, "journal.db") {
		t.Errorf("removal took the state; left is %q", got)
	}
	m.do("dpkg", "--purge", "migrated")
	if got, status := m.try("ls", "/var/lib/migrated", "/run/migrated", "/sys/fs/cgroup/system.slice/migrated.service"); status == 0 || strings.Contains(got, "journal") || strings.Contains(got, "vm-") {
		t.Errorf("purging left:\n%s", got)
	}
}
