// Package qemu runs a machine under QEMU and KVM whose only program fills, reads and writes a
// heap, and moves it by QEMU's own live migration: the peer that our moves are compared with.
package qemu

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// A Fill is what the heap has in it: guest/heap.h.
type Fill uint32

const (
	Zeros Fill = iota
	Numbers
	Random
)

// A Mode is what is done with it: guest/heap.h.
type Mode uint32

const (
	Idle Mode = iota
	Read
	Write
)

// A Heap describes the program.
type Heap struct {
	MiB  int
	Fill Fill
	Mode Mode
}

// firmwareSize is the image's: guest/bare.ld.
const firmwareSize = 64 << 10

// BuildFirmware compiles the program as a machine's firmware and returns its path. The machine
// has no kernel: one would be compared with our guest, which has none that boots, and a KVM
// without hardware support takes minutes to boot Linux.
func BuildFirmware(root, dir string) (string, error) {
	out := filepath.Join(dir, "heap.bin")
	from := filepath.Join(root, "testbed/qemu/guest")
	cmd := exec.Command("gcc", "-O2", "-ffreestanding", "-nostdlib", "-static", "-no-pie", "-fno-pic",
		"-mno-sse", "-fcf-protection=none", "-fno-asynchronous-unwind-tables",
		"-Wl,--build-id=none,--oformat=binary,-T,"+filepath.Join(from, "bare.ld"),
		"-o", out, filepath.Join(from, "start.S"), filepath.Join(from, "main.c"))
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build QEMU's guest: %w\n%s", err, text)
	}
	return out, nil
}

// firmware returns the image with the heap's description where the program reads it.
func firmware(path string, h Heap) ([]byte, error) {
	image, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(image) != firmwareSize {
		return nil, fmt.Errorf("%s has %d bytes, want %d", path, len(image), firmwareSize)
	}
	for i, v := range []uint32{uint32(h.MiB), uint32(h.Fill), uint32(h.Mode)} {
		binary.LittleEndian.PutUint32(image[4*i:], v)
	}
	return image, nil
}
