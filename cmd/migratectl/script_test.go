package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"github.com/migrated/migrated/vmm/kvm"
	"github.com/migrated/migrated/vmm/vmmtest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"migratectl": func() { os.Exit(Main()) }})
}

// TestScripts runs testdata/script, with real daemons. Scripts that run VMs need KVM.
func TestScripts(t *testing.T) {
	bin := t.TempDir()
	build := exec.Command("go", "build", "-o", bin, "github.com/migrated/migrated/cmd/migrated")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as it is delivered: with cgo it cannot confine VMs
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the daemon: %v\n%s", err, out)
	}
	file := vmmtest.Image(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", bin+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("MIGRATED_SOCKET", filepath.Join(env.WorkDir, "s"))
			port, err := freePort()
			if err != nil {
				return err
			}
			env.Setenv("PORT", port)
			if err := lease(env); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(env.WorkDir, "guest.img"), file, 0o644)
		},
		Condition: func(cond string) (bool, error) {
			if cond == "kvm" {
				return kvm.Available() == nil, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"await": await, "truncate": truncate, "flip": flip, "scrape": scrape},
	})
}

// lease has the VMs of a script's daemons end with the script, whatever becomes of either.
func lease(env *testscript.Env) error {
	path := filepath.Join(env.WorkDir, "lease")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	env.Defer(func() { f.Close() })
	env.Setenv("MIGRATED_LEASE", path)
	return nil
}

// await ADDRESS... waits until a path or HOST:PORT can be connected to.
func await(ts *testscript.TestScript, _ bool, args []string) {
	for _, address := range args {
		network := "unix"
		if _, _, err := net.SplitHostPort(address); err == nil {
			network = "tcp"
		} else {
			address = ts.MkAbs(address)
		}
		deadline := time.Now().Add(20 * time.Second)
		for {
			c, err := net.Dial(network, address)
			if err == nil {
				c.Close()
				break
			}
			if time.Now().After(deadline) {
				ts.Fatalf("nobody listens: %v", err)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// scrape SOCKET gets the metrics that a daemon serves there. stdout is what it said.
func scrape(ts *testscript.TestScript, _ bool, args []string) {
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", ts.MkAbs(args[0]))
	}}}
	defer client.CloseIdleConnections()
	answer, err := client.Get("http://migrated/metrics")
	ts.Check(err)
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		ts.Fatalf("status %s", answer.Status)
	}
	_, err = io.Copy(ts.Stdout(), answer.Body)
	ts.Check(err)
}

// truncate FROM TO makes TO the first half of FROM.
func truncate(ts *testscript.TestScript, _ bool, args []string) {
	b, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b[:len(b)/2], 0o644))
}

// flip FROM TO makes TO a copy of FROM with one bit altered in the middle.
func flip(ts *testscript.TestScript, _ bool, args []string) {
	b, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	b[len(b)/2] ^= 1
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b, 0o644))
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}
