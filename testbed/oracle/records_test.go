package oracle_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/testbed/oracle"
	"github.com/migrated/migrated/toolchain"
)

// TestChecksRecords moves a program that keeps an address of the control page: what it prints
// is the same everywhere, and yet the record must not pass.
func TestChecksRecords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "private.img")
	err := toolchain.Build(t.Context(), toolchain.Options{
		Sources: []string{"testdata/private.c"},
		Output:  path,
		Builds:  []string{"x86-64-v3"},
	})
	if err != nil {
		t.Fatal(err)
	}
	m, err := image.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	p, err := oracle.Of(m)
	if err != nil {
		t.Fatal(err)
	}
	ctx := patience(t)
	want, err := p.Plain(ctx, m.Builds()[0])
	if err != nil {
		t.Fatal(err)
	}
	route := oracle.Route{Builds: []*image.Build{m.Builds()[0], m.Builds()[0]}, Gap: oracle.Every(20)}
	_, err = p.Check(ctx, want, route)
	const message = "frame record of main, site "
	if err == nil || !strings.Contains(err.Error(), message) || !strings.Contains(err.Error(), "0x2000000") {
		t.Errorf("error %v, want one that begins with %q", err, message)
	}
	p.Records = nil
	if _, err := p.Check(ctx, want, route); err != nil {
		t.Errorf("without the check: %v", err)
	}
}
