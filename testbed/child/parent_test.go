package child

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
)

// helper is set for this test binary where it is to be the process in the middle.
const helper = "CHILD_TEST_HELPER"

func TestMain(m *testing.M) {
	if os.Getenv(helper) != "" {
		WithParent(func() { os.Exit(1) })
		sleep := exec.Command("sleep", "600")
		sleep.Stdout = os.Stdout // which it holds open as long as it lives
		if _, err := Start(sleep); err != nil {
			fmt.Println(err)
		}
		fmt.Println("started")
		select {}
	}
	os.Exit(m.Run())
}

// TestWithParent kills the parent of a process that has a child: both end.
func TestWithParent(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The shell waits, so that it is the parent until it is killed.
	shell := exec.Command("sh", "-c", `"$0" & wait`, exe)
	shell.Env = append(os.Environ(), helper+"=1")
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	// The pipe ends when the last who can write to it is gone.
	shell.Stdout = in
	err = shell.Start()
	in.Close()
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); err != nil || line != "started\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if err := shell.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	shell.Wait()
	if _, err := lines.ReadByte(); err != io.EOF {
		t.Errorf("read of what is left: %v", err)
	}
}
