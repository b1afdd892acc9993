package layout

import (
	"strings"
	"testing"
)

func TestParseSites(t *testing.T) {
	sites := parsed(t, "0 main 48 ptr@0,i128@16,4xi8@32,half@36,i64@40\n1 f 0 \n")
	if len(sites) != 2 || sites[0].Function != "main" || sites[0].Size != 48 || len(sites[0].Values) != 5 || len(sites[1].Values) != 0 {
		t.Fatalf("sites %+v", sites)
	}
	if got, want := sites[0].Values[2], (Value{"4xi8", 32, 4}); got != want {
		t.Errorf("value %+v, want %+v", got, want)
	}
	for _, tt := range []struct{ table, want string }{
		{"1 f 8 ptr@0\n", "is not site 0"},
		{"0 f 8\n", "is not site 0"},
		{"0 f 8 ptr@0\n2 f 8 ptr@0\n", "line 2"},
		{"0 f -1 \n", "size of the record"},
		{"0 f 8 ptr\n", "does not say where"},
		{"0 f 16 x86_fp80@0\n", "no size that all builds agree about"},
		{"0 f 16 i65@0\n", "no size that all builds agree about"},
		{"0 f 16 ptr@0,i32@4\n", "overlaps"},
		{"0 f 8 i64@8\n", "does not lie in the record"},
		{"0 f 16 i64@4\n", "is not aligned"},
		{"0 f 32 fp128@8\n", "is not aligned"},
	} {
		if _, err := ParseSites([]byte(tt.table)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: error %v, want one with %q", tt.table, err, tt.want)
		}
	}
}
