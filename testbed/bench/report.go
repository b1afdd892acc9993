package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"text/tabwriter"
)

// A row is one line of the table.
type row struct {
	Name    string   `json:"name"`
	Value   float64  `json:"value"`
	Unit    string   `json:"unit,omitempty"`     // "ms", "KiB", "MiB"; empty: a ratio
	AtMost  *float64 `json:"expected,omitempty"` // in Unit; none, nor AtLeast: for information
	AtLeast *float64 `json:"expected_at_least,omitempty"`
	Note    string   `json:"note,omitempty"` // what it is made of
}

// missed says whether something else than expected was measured.
func (r *row) missed() bool {
	return r.AtMost != nil && r.Value > *r.AtMost || r.AtLeast != nil && r.Value < *r.AtLeast
}

// expected says what was.
func (r *row) expected() string {
	for _, limit := range []struct {
		sign  string
		value *float64
	}{{"≤ ", r.AtMost}, {"≥ ", r.AtLeast}} {
		if limit.value != nil {
			return limit.sign + strconv.FormatFloat(*limit.value, 'g', -1, 64) + unit(r.Unit)
		}
	}
	return ""
}

// A report is the table.
type report struct {
	Rows []row `json:"rows"`
}

// add appends a row of which nothing is expected.
func (r *report) add(name string, value float64, unit, note string) {
	r.Rows = append(r.Rows, row{Name: name, Value: value, Unit: unit, Note: note})
	logf("%-28s %s %s  %s", name, number(value), unit, note)
}

// expect appends a row whose value should be at most atMost.
func (r *report) expect(name string, value float64, unit string, atMost float64, note string) {
	r.add(name, value, unit, note)
	r.Rows[len(r.Rows)-1].AtMost = &atMost
}

// expectLeast appends a row whose value should be at least atLeast.
func (r *report) expectLeast(name string, value float64, unit string, atLeast float64, note string) {
	r.add(name, value, unit, note)
	r.Rows[len(r.Rows)-1].AtLeast = &atLeast
}

func (r *report) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "WHAT\tMEASURED\tEXPECTED\t\tNOTE")
	for i := range r.Rows {
		row := &r.Rows[i]
		expected, verdict := row.expected(), ""
		if expected != "" {
			verdict = "ok"
		}
		if row.missed() {
			verdict = "missed"
		}
		fmt.Fprintf(t, "%s\t%s%s\t%s\t%s\t%s\n", row.Name, number(row.Value), unit(row.Unit), expected, verdict, row.Note)
	}
	return t.Flush()
}

func unit(u string) string {
	if u == "" {
		return ""
	}
	return " " + u
}

// number writes a value with three decimals below 10, and fewer above.
func number(v float64) string {
	decimals := 3
	switch a := math.Abs(v); {
	case a >= 100:
		decimals = 0
	case a >= 10:
		decimals = 1
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}

// geomean returns the geometric mean.
func geomean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += math.Log(v)
	}
	return math.Exp(sum / float64(len(values)))
}
