package metrics

import (
	"os"
	"regexp"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// docs/operations.md names the metrics that there are, and no others.
func TestDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := make(map[string]bool)
	for _, name := range regexp.MustCompile(`migrated_[a-z_]+`).FindAllString(string(page), -1) {
		documented[name] = true
	}
	m := New("here", "v1", "x86_64", func() State { return State{} })
	descs := make(chan *prometheus.Desc)
	go func() {
		m.registry.Describe(descs)
		close(descs)
	}()
	name := regexp.MustCompile(`fqName: "(migrated_[a-z_]+)"`)
	there := make(map[string]bool)
	for d := range descs {
		if found := name.FindStringSubmatch(d.String()); found != nil {
			there[found[1]] = true
		}
	}
	for n := range there {
		if !documented[n] {
			t.Errorf("%s is not in docs/operations.md", n)
		}
	}
	for n := range documented {
		if !there[n] {
			t.Errorf("docs/operations.md has %s, and there is none", n)
		}
	}
	if len(there) < 10 {
		t.Errorf("only %d metrics were found", len(there))
	}
}
