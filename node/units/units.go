// Package units reads sizes and durations as people write them.
package units

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Bytes is a size. As text it is a number and K, M, G or T, powers of 1024.
type Bytes uint64

var suffixes = []struct {
	letter string
	shift  uint
}{{"T", 40}, {"G", 30}, {"M", 20}, {"K", 10}}

// ParseBytes reads "64M", "64MiB" or "65536".
func ParseBytes(s string) (Bytes, error) {
	number := strings.TrimSuffix(strings.TrimSuffix(s, "B"), "i")
	shift := uint(0)
	for _, suffix := range suffixes {
		if n, ok := strings.CutSuffix(number, suffix.letter); ok {
			number, shift = n, suffix.shift
			break
		}
	}
	if shift == 0 && number != s {
		number = s // "64i", "64B"
	}
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil || n > math.MaxUint64>>shift {
		return 0, fmt.Errorf("%q is not a size: want a number and K, M, G or T, such as 64M", s)
	}
	return Bytes(n << shift), nil
}

// String is exact: the largest unit that divides the size.
func (b Bytes) String() string {
	for _, suffix := range suffixes {
		if unit := Bytes(1) << suffix.shift; b >= unit && b%unit == 0 {
			return strconv.FormatUint(uint64(b/unit), 10) + suffix.letter
		}
	}
	return strconv.FormatUint(uint64(b), 10)
}

// Short is for people: three digits and a unit.
func (b Bytes) Short() string {
	for _, suffix := range suffixes {
		if unit := Bytes(1) << suffix.shift; b >= unit {
			return fmt.Sprintf("%.3g %siB", float64(b)/float64(unit), suffix.letter)
		}
	}
	return strconv.FormatUint(uint64(b), 10) + " B"
}

// Set, Type, UnmarshalText and MarshalText make it a flag and a field of a file.
func (b *Bytes) Set(s string) (err error) {
	*b, err = ParseBytes(s)
	return err
}

func (b *Bytes) Type() string { return "size" }

func (b *Bytes) UnmarshalText(text []byte) error { return b.Set(string(text)) }

func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// A Duration is a field of a file: "15s".
type Duration time.Duration

func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err == nil && v < 0 {
		err = fmt.Errorf("%s is negative", text)
	}
	if err != nil {
		return fmt.Errorf("want a duration such as 15s: %w", err)
	}
	*d = Duration(v)
	return nil
}
