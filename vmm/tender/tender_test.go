package tender_test

import (
	"bytes"
	"testing"

	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/tender"
	"github.com/migrated/migrated/vmm/vmmtest"
)

func TestHello(t *testing.T) {
	for _, a := range []*isa.ISA{isa.X86_64, isa.AArch64} {
		t.Run(a.Name, func(t *testing.T) {
			config, builds := vmmtest.Guest(t, a)
			var stdout, stderr bytes.Buffer
			g, err := vmm.New(vmm.Config{
				Spec:    vmm.Spec{Image: config, Build: builds[0], Memory: vmmtest.Memory},
				Args:    []string{"guest", "hello"},
				Machine: tender.New,
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
			if got, want := stdout.String(), "hello from initial data\n"; got != want {
				t.Errorf("stdout %q, want %q", got, want)
			}
			if got, want := stderr.String(), "and an error\n"; got != want {
				t.Errorf("stderr %q, want %q", got, want)
			}
		})
	}
}
