package kvm_test

import (
	"bytes"
	"testing"

	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/kvm"
	"github.com/migrated/migrated/vmm/vmmtest"
)

func TestHello(t *testing.T) {
	config, builds := vmmtest.Guest(t, isa.X86_64)
	var stdout, stderr bytes.Buffer
	g, err := vmm.New(vmm.Config{
		Spec:    vmm.Spec{Image: config, Build: builds[0], Memory: vmmtest.Memory},
		Args:    []string{"guest", "hello"},
		Machine: kvm.New,
		Output: func(s vmm.Stream, p []byte) {
			map[vmm.Stream]*bytes.Buffer{vmm.Stdout: &stdout, vmm.Stderr: &stderr}[s].Write(p)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if err := g.Start(nil); err != nil {
		t.Fatal(err)
	}
	<-g.Done()
	if e := g.Exit(); e.Code != 7 || e.Crash != nil {
		t.Errorf("exit %+v %+v, want status 7", e, e.Crash)
	}
	t.Logf("%q %q", stdout.String(), stderr.String())
}
