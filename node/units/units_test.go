package units

import (
	"testing"
	"time"
)

func TestParseBytes(t *testing.T) {
	for text, want := range map[string]Bytes{
		"0": 0, "4096": 4096, "64M": 64 << 20, "64MiB": 64 << 20, "64MB": 64 << 20, "1G": 1 << 30, "2T": 2 << 40, "3K": 3 << 10,
	} {
		if got, err := ParseBytes(text); err != nil || got != want {
			t.Errorf("%q is %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "M", "-1", "1.5G", "64i", "64B", "1P", "99999999999999999999", "99999999999T", "64 M"} {
		if got, err := ParseBytes(text); err == nil {
			t.Errorf("%q was read as %d", text, got)
		}
	}
}

// FuzzBytes: what is read survives a round trip.
func FuzzBytes(f *testing.F) {
	f.Add("64M")
	f.Fuzz(func(t *testing.T, s string) {
		b, err := ParseBytes(s)
		if err != nil {
			return
		}
		if again, err := ParseBytes(b.String()); err != nil || again != b {
			t.Errorf("%q became %v, then %v, %v", s, b, again, err)
		}
	})
}

func TestShort(t *testing.T) {
	for b, want := range map[Bytes]string{0: "0 B", 1023: "1023 B", 1536: "1.5 KiB", 64 << 20: "64 MiB"} {
		if got := b.Short(); got != want {
			t.Errorf("%d is %q, want %q", uint64(b), got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	var d Duration
	if err := d.UnmarshalText([]byte("1m30s")); err != nil || time.Duration(d) != 90*time.Second {
		t.Errorf("%v, %v", d, err)
	}
	for _, text := range []string{"", "5", "-1s"} {
		if err := d.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}
