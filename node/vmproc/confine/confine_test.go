package confine

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// As a program of its own, the test confines itself and tries what it must not be able to.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "hostile" {
		hostile()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// attempts are what a guest that has broken out would try. Each returns nil if it succeeded.
var attempts = map[string]func() error{
	"open a file":       func() error { f, err := os.Open("/etc/hostname"); _ = f; return err },
	"open its program":  func() error { f, err := os.Open("/proc/self/exe"); _ = f; return err },
	"make a file":       func() error { return os.WriteFile("/tmp/escaped", nil, 0o600) },
	"make a directory":  func() error { return os.Mkdir("/tmp/escaped", 0o700) },
	"remove a file":     func() error { return os.Remove("/tmp/not-there-at-all/x") },
	"look at a file":    func() error { _, err := os.Stat("/"); return err },
	"connect by TCP":    func() error { _, err := net.DialTimeout("tcp", "127.0.0.1:1", time.Second); return refusedIsFine(err) },
	"connect by Unix":   func() error { _, err := net.Dial("unix", "/run/migrated/migrated.sock"); return err },
	"make a socket":     func() error { _, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0); return err },
	"pair of sockets":   func() error { _, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0); return err },
	"run a program":     func() error { return exec.Command("/bin/true").Run() },
	"signal its parent": func() error { return unix.Kill(os.Getppid(), 0) },
	"trace its parent":  func() error { return unix.PtraceAttach(os.Getppid()) },
	"executable memory": func() error {
		_, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
		return err
	},
	"be root again":  func() error { return unix.Setuid(0) },
	"mount":          func() error { return unix.Mount("none", "/", "tmpfs", 0, "") },
	"read processes": func() error { _, err := os.ReadDir("/proc"); return err },
	"terminal":       func() error { _, err := unix.IoctlGetTermios(0, unix.TCGETS); return err },
}

// refusedIsFine: a connection that is refused was attempted, so it counts as made.
func refusedIsFine(err error) error {
	if err != nil && strings.Contains(err.Error(), "refused") {
		return nil
	}
	return err
}

func hostile() {
	other := make(chan func())
	go func() { // a thread that is there before
		for f := range other {
			f()
		}
	}()
	findings, err := Apply()
	if err != nil {
		fmt.Println("not confined:", err)
		os.Exit(1)
	}
	for _, f := range findings {
		fmt.Println("found:", f.Means, f.Answer, f.Note)
	}
	try := func(where string) {
		for what, attempt := range attempts {
			err := attempt()
			if err == nil {
				fmt.Println("ESCAPED:", where, what)
			} else if errno := syscall.Errno(0); !asErrno(err, &errno) || errno != unix.EPERM && errno != unix.EACCES {
				fmt.Println("NOT REFUSED:", where, what, err)
			}
		}
	}
	try("this goroutine")
	done := make(chan bool)
	other <- func() { try("another thread"); close(done) }
	<-done
	// What it may: memory, time, threads.
	b := make([]byte, 64<<20)
	for i := 0; i < len(b); i += 4096 {
		b[i] = 1
	}
	for range 20 {
		go func() { time.Sleep(50 * time.Millisecond); syscall.Getpid() }()
	}
	time.Sleep(100 * time.Millisecond)
	fmt.Println("alive")
}

func asErrno(err error, to *syscall.Errno) bool {
	for err != nil {
		if e, ok := err.(syscall.Errno); ok {
			*to = e
			return true
		}
		u, ok := err.(interface{ Unwrap() error })
		if !ok {
			return false
		}
		err = u.Unwrap()
	}
	return false
}

// A confined process opens no file, no socket and runs no program, from any of its threads,
// and still works.
func TestHostile(t *testing.T) {
	if cannotConfine != "" {
		t.Skip(cannotConfine)
	}
	out, err := exec.Command("/proc/self/exe", "hostile").CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "ESCAPED") || strings.HasPrefix(line, "NOT REFUSED") {
			t.Error(line)
		}
	}
	for _, want := range []string{"found: seccomp yes", "found: no new privileges yes", "found: no capabilities yes", "alive\n"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
	t.Logf("%s", out)
}

// The filter is the same on any host, and its jumps stay inside.
func TestProgram(t *testing.T) {
	p := program(syscallNumbers(), auditArch)
	if len(p) > 4096 { // BPF_MAXINSNS
		t.Errorf("%d instructions", len(p))
	}
	for i, in := range p {
		if in.Code&7 == unix.BPF_JMP && (i+1+int(in.Jt) >= len(p) || i+1+int(in.Jf) >= len(p)) {
			t.Errorf("instruction %d jumps outside", i)
		}
	}
	if last := p[len(p)-1]; last.Code&7 != unix.BPF_RET || last.K&unix.SECCOMP_RET_ACTION_FULL != unix.SECCOMP_RET_ERRNO {
		t.Errorf("what no rule allows: %+v", last)
	}
}
