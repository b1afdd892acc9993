package tender_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/tender"
	"github.com/migrated/migrated/vmm/vmmtest"
)

// hostVariable makes the test binary a host that runs a guest until it is killed.
const hostVariable = "MIGRATED_TENDER_TEST_HOST"

// TestChildDiesWithHost kills a host with SIGKILL: its guest's process goes too.
func TestChildDiesWithHost(t *testing.T) {
	if os.Getenv(hostVariable) != "" {
		beHost(t)
	}
	host := exec.Command(os.Args[0], "-test.run=^TestChildDiesWithHost$")
	// It is killed, and removes nothing: its temporary files are below this test's.
	host.Env = append(os.Environ(), hostVariable+"=1", "TMPDIR="+t.TempDir())
	out, err := host.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	defer host.Wait()
	var children string
	if _, err := fmt.Fscanf(out, "children %s\n", &children); err != nil {
		host.Process.Kill()
		t.Fatalf("the host does not say which children it has: %v", err)
	}
	if err := host.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	pids := strings.Split(children, ",")
	if len(pids) != len(isa.All()) {
		t.Errorf("children %v, want one for each ISA", pids)
	}
	for _, pid := range pids {
		for alive(pid) { // go test's own time limit ends this
			time.Sleep(time.Millisecond)
		}
	}
}

// alive says whether a process still runs; one that waits to be reaped does not.
func alive(pid string) bool {
	status, err := os.ReadFile("/proc/" + pid + "/status")
	return err == nil && !bytes.Contains(status, []byte("State:\tZ"))
}

func beHost(t *testing.T) {
	for _, a := range isa.All() {
		config, builds := vmmtest.Guest(t, a)
		spinning := make(chan struct{}, 1)
		g, err := vmm.New(vmm.Config{
			Spec:    vmm.Spec{Image: config, Build: builds[0], Memory: vmmtest.Memory},
			Args:    []string{"guest", "spin"},
			Machine: tender.New,
			Output:  func(vmm.Stream, []byte) { spinning <- struct{}{} },
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Start(nil); err != nil {
			t.Fatal(err)
		}
		<-spinning
	}
	fmt.Printf("children %s\n", strings.Join(children(t), ","))
	select {}
}

// children returns the process ids of this process's children.
func children(t *testing.T) []string {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	var pids []string
	for _, task := range tasks {
		b, err := os.ReadFile("/proc/self/task/" + task.Name() + "/children")
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, strings.Fields(string(b))...)
	}
	return pids
}
