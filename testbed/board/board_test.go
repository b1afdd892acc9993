package board_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/migrated/migrated/testbed/board"
)

// TestBoard boots one board and uses all that it offers.
func TestBoard(t *testing.T) {
	if testing.Short() {
		t.Skip("boots a board: not with -short")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	root, err := board.Root()
	check(t, err)
	bin := filepath.Join(t.TempDir(), "probe")
	check(t, board.BuildARM64(root, "./testbed/board/testdata/probe", bin))
	const port = 4321
	b, err := board.Start(ctx, board.Config{
		Files:   map[string]string{"/bin/probe": bin, "/data/here/text": "testdata/text"},
		Forward: []int{port},
	})
	check(t, err)
	defer b.Stop()

	run := func(args ...string) (string, string, int) {
		t.Helper()
		var out, errs bytes.Buffer
		status, err := b.Run(ctx, &out, &errs, append([]string{"/bin/probe"}, args...)...)
		check(t, err)
		return out.String(), errs.String(), status
	}
	if out, errs, status := run("status", "3"); out != "output\n" || errs != "error\n" || status != 3 {
		t.Errorf("%q, %q, status %d", out, errs, status)
	}
	text, err := os.ReadFile("testdata/text")
	check(t, err)
	if out, _, _ := run("cat", "/data/here/text"); out != string(text) {
		t.Errorf("file has %q, want %q", out, text)
	}
	if out, errs, status := run("kvm"); status != 0 {
		t.Errorf("no KVM on the board: %s%s", out, errs)
	}
	if out, _, _ := run("many"); out != strings.Repeat("0123456789abcdef", 1<<16) {
		t.Errorf("%d bytes of output, want 1 MiB", len(out))
	}
	if _, err := b.Run(ctx, io.Discard, io.Discard, "/bin/missing"); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("a program that is missing: %v", err)
	}
	t.Run("clock", func(t *testing.T) {
		before := time.Now()
		out, _, _ := run("time")
		ns, err := strconv.ParseInt(strings.TrimSpace(out), 10, 64)
		check(t, err)
		// The clock was set by a message that took a while.
		if there := time.Unix(0, ns); there.Before(before.Add(-time.Minute)) || there.After(time.Now().Add(time.Second)) {
			t.Errorf("the board's clock says %v, here it is %v", there, before)
		}
	})
	t.Run("signal", func(t *testing.T) {
		r, w := io.Pipe()
		p, err := b.Command(ctx, w, w, "/bin/probe", "wait")
		check(t, err)
		awaitLine(t, r, "waiting\n")
		check(t, p.Signal(syscall.SIGTERM))
		if status, err := p.Wait(); status != 128+int(syscall.SIGTERM) || err != nil {
			t.Errorf("status %d, %v", status, err)
		}
	})
	t.Run("network", func(t *testing.T) {
		r, w := io.Pipe()
		p, err := b.Command(ctx, w, w, "/bin/probe", "echo", strconv.Itoa(port))
		check(t, err)
		awaitLine(t, r, "listening\n")
		c, err := net.Dial("tcp", b.Addr(port))
		check(t, err)
		defer c.Close()
		sent := bytes.Repeat([]byte("abc"), 100000)
		go func() {
			c.Write(sent)
			c.(*net.TCPConn).CloseWrite()
		}()
		got, err := io.ReadAll(c)
		check(t, err)
		if !bytes.Equal(got, sent) {
			t.Errorf("%d bytes came back, want %d", len(got), len(sent))
		}
		// Killing a command needs no answer from it.
		p.Kill()
		p.Wait()
	})
	t.Run("to the host", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		check(t, err)
		defer l.Close()
		go func() {
			if c, err := l.Accept(); err == nil {
				io.WriteString(c, "hello, board")
				c.Close()
			}
		}()
		_, p, _ := net.SplitHostPort(l.Addr().String())
		if out, errs, _ := run("get", net.JoinHostPort(board.HostAddr, p)); out != "hello, board" {
			t.Errorf("%q %q", out, errs)
		}
	})
	b.Stop()
	if !strings.Contains(b.Console(), "Power down") {
		t.Errorf("the board did not switch itself off:\n%s", b.Console())
	}
	b.Stop()
}

// A board that cannot boot is an error with its console, and leaves nothing running.
func TestBootFails(t *testing.T) {
	if testing.Short() {
		t.Skip("boots a board: not with -short")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := board.Start(ctx, board.Config{Memory: 16 << 20}) // too little for the kernel
	if err == nil || !strings.Contains(err.Error(), "boot the board") {
		t.Errorf("error %v", err)
	}
	for _, name := range []string{"relative", "/a/../b"} {
		_, err := board.Start(ctx, board.Config{Files: map[string]string{name: "testdata/text"}})
		if err == nil || !strings.Contains(err.Error(), "not absolute and clean") {
			t.Errorf("file %q: %v", name, err)
		}
	}
	if _, err := board.Start(ctx, board.Config{Files: map[string]string{"/a": "testdata/missing"}}); err == nil {
		t.Error("a missing file is no error")
	}
}

// QEMU does not outlive the process that started it, even when that is killed.
func TestDiesWithItsParent(t *testing.T) {
	if testing.Short() {
		t.Skip("boots a board: not with -short")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	tool := filepath.Join(t.TempDir(), "board")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", tool, "../cmd/board").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.CommandContext(ctx, tool)
	stdout, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	line := make([]byte, 256)
	n, err := stdout.Read(line)
	check(t, err)
	fields := strings.Fields(string(line[:n])) // ready pid=N
	if len(fields) < 2 || fields[0] != "ready" {
		t.Fatalf("the tool said %q", line[:n])
	}
	pid, err := strconv.Atoi(strings.TrimPrefix(fields[1], "pid="))
	check(t, err)
	name, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
	if err != nil || !strings.HasPrefix(string(name), "qemu") {
		t.Fatalf("process %d is %q (%v), not QEMU", pid, name, err)
	}
	check(t, cmd.Process.Kill())
	cmd.Wait()
	for {
		name, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
		if err != nil || !strings.HasPrefix(string(name), "qemu") || isZombie(pid) {
			break
		}
		if ctx.Err() != nil {
			t.Fatalf("QEMU (%d) still runs", pid)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// isZombie says whether a process has ended and waits for its parent: whoever adopts
// orphans here need not be quick.
func isZombie(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	_, rest, ok := strings.Cut(string(stat), ") ")
	return err == nil && ok && strings.HasPrefix(rest, "Z")
}

func awaitLine(t *testing.T, r io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	_, err := io.ReadFull(r, got)
	check(t, err)
	if string(got) != want {
		t.Fatalf("%q, want %q", got, want)
	}
	go io.Copy(io.Discard, r)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
