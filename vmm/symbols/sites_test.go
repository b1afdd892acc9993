package symbols

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const siteLines = `leaf
/src/a.c
inlined
/src/b.h
outer

1 2 10
3 4 20 5 2 30

1 2
7 0 40
1 2 many
`

func TestSites(t *testing.T) {
	table := &Table{sites: parseSites(siteLines)}
	for site, want := range [][]Location{
		{{"leaf", "/src/a.c", 10}},
		{{"inlined", "/src/b.h", 20}, {"outer", "/src/a.c", 30}},
		nil,
		nil,
		{{"", "", 40}},
		nil,
		nil,
		nil,
	} {
		if d := cmp.Diff(want, table.Site(uint32(site))); d != "" {
			t.Errorf("site %d (-want +got):\n%s", site, d)
		}
	}
}

// FuzzSites reads and asks: an answer of bounded length, nothing else.
func FuzzSites(f *testing.F) {
	f.Add(siteLines, uint32(1))
	f.Fuzz(func(t *testing.T, text string, n uint32) {
		s := parseSites(text)
		if chain := s.at(n); len(chain) > maxInlined {
			t.Fatalf("%d functions at site %d", len(chain), n)
		}
	})
}
