package host

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/isa"
)

func TestDetect(t *testing.T) {
	h, err := Detect()
	if err != nil || h.ISA == nil || len(h.Levels) == 0 {
		t.Fatalf("%+v, %v", h, err)
	}
	m, err := h.Memory()
	if err != nil || m.Available == 0 || m.Available > m.Total {
		t.Errorf("%+v, %v", m, err)
	}
}

// TestCommonFeatures: a feature counts if every processor has it.
func TestCommonFeatures(t *testing.T) {
	got, err := parseCPUInfo(strings.NewReader("processor : 0\nFeatures : fp asimd sve\n\nprocessor : 1\nFeatures : fp asimd\n"))
	if want := []string{"asimd", "fp"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if _, err := parseCPUInfo(strings.NewReader("processor : 0\n")); err == nil {
		t.Error("no features are no error")
	}
}

func TestMemInfo(t *testing.T) {
	m, err := parseMemInfo(strings.NewReader("MemTotal:  2048 kB\nMemFree: 1 kB\nMemAvailable: 1024 kB\n"))
	if err != nil || m != (Memory{Total: 2 << 20, Available: 1 << 20}) {
		t.Errorf("%+v, %v", m, err)
	}
	for _, text := range []string{"", "MemTotal: 1 kB\n", "MemTotal: x kB\nMemAvailable: 1 kB\n", "MemTotal: 99999999999999999 kB\n"} {
		if _, err := parseMemInfo(strings.NewReader(text)); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}

func TestSelect(t *testing.T) {
	x := isa.X86_64
	cfg := &image.Config{Builds: []image.BuildInfo{
		{ISA: "aarch64", Level: isa.AArch64.Levels[0].Name},
		{ISA: x.Name, Level: x.Levels[1].Name},
		{ISA: x.Name, Level: x.Levels[0].Name},
	}}
	for _, test := range []struct {
		levels []string
		want   string
	}{
		{[]string{x.Levels[0].Name}, x.Levels[0].Name},
		{[]string{x.Levels[0].Name, x.Levels[1].Name, x.Levels[2].Name}, x.Levels[1].Name},
	} {
		h := &Host{ISA: x, Levels: test.levels}
		if got, err := h.Select(cfg); err != nil || got.Level != test.want {
			t.Errorf("a host with %v gets %v, %v", test.levels, got.Level, err)
		}
	}
	_, err := (&Host{ISA: x}).Select(cfg)
	if !errors.Is(err, image.ErrNoBuild) || !strings.Contains(err.Error(), "aarch64/") {
		t.Errorf("a host of no level: %v", err)
	}
}
