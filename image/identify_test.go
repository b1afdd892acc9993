package image

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

func TestIdentify(t *testing.T) {
	m := testImage(t, "x86-64-v3", "armv8-a")
	file := write(t, m)
	id, err := identify(bytes.NewReader(file))
	if err != nil || id.Digest != m.Digest() || !slices.Equal(id.Present, m.Config().Builds) {
		t.Errorf("got %+v, %v", id, err)
	}
	part := m.Part(func(b *Build) *Build {
		if b.Info.Level == "armv8-a" {
			return b
		}
		return nil
	})
	id, err = identify(bytes.NewReader(write(t, part)))
	if err != nil || id.Digest != m.Digest() || len(id.Present) != 1 || id.Present[0].Level != "armv8-a" {
		t.Errorf("part: %+v, %v", id, err)
	}
	for _, n := range []int{0, 700, len(file) / 2} {
		if _, err := identify(bytes.NewReader(file[:n])); !errors.Is(err, ErrFormat) {
			t.Errorf("%d of %d bytes: %v", n, len(file), err)
		}
	}
}

// FuzzIdentify: what Open accepts has the identity that Identify says.
func FuzzIdentify(f *testing.F) {
	f.Add(write(f, testImage(f, "x86-64-v3", "armv8-a")))
	f.Fuzz(func(t *testing.T, file []byte) {
		id, err := identify(bytes.NewReader(file))
		m, openErr := OpenReader(bytes.NewReader(file))
		if openErr == nil && (err != nil || id.Digest != m.Digest()) {
			t.Errorf("opened as %s, identified as %+v, %v", m.Digest(), id, err)
		}
	})
}
