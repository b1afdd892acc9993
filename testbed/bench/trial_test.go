package main

import (
	"testing"
	"time"
)

func TestComparison(t *testing.T) {
	ms := func(down, total int, bytes int64) trial {
		return trial{down: time.Duration(down) * time.Millisecond, total: time.Duration(total) * time.Millisecond, bytes: bytes}
	}
	c := comparison{
		ours:  []trial{ms(3, 900, 50), ms(2, 1000, 60)},
		plain: []trial{ms(40, 2000, 200), ms(50, 1800, 220)},
		zstd:  []trial{ms(10, 450, 100)},
	}
	var r report
	c.report(&r, "x")
	want := map[string]float64{
		"x: downtime / QEMU":      0.05,
		"x: downtime / QEMU zstd": 0.2,
		"x: time / QEMU":          2,
		"x: bytes / QEMU zstd":    0.5,
	}
	for _, row := range r.Rows {
		if row.Value != want[row.Name] {
			t.Errorf("%s is %v, want %v", row.Name, row.Value, want[row.Name])
		}
		delete(want, row.Name)
	}
	if len(want) > 0 {
		t.Errorf("no rows %v", want)
	}
}
