package qemu

import (
	"os"
	"path/filepath"
	"testing"
)

func TestFirmware(t *testing.T) {
	path := filepath.Join(t.TempDir(), "heap.bin")
	if err := os.WriteFile(path, make([]byte, firmwareSize), 0o644); err != nil {
		t.Fatal(err)
	}
	image, err := firmware(path, Heap{MiB: 0x102, Fill: Random, Mode: Read})
	if err != nil {
		t.Fatal(err)
	}
	want := []byte{2, 1, 0, 0, byte(Random), 0, 0, 0, byte(Read), 0, 0, 0, 0}
	if got := image[:len(want)]; string(got) != string(want) || len(image) != firmwareSize {
		t.Errorf("%d bytes that begin with %v, want %v", len(image), got, want)
	}
	if err := os.WriteFile(path, make([]byte, 100), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := firmware(path, Heap{}); err == nil {
		t.Error("a short image is no error")
	}
}
