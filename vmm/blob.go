package vmm

import (
	"encoding/binary"
	"fmt"
	"math"
	"path"

	"github.com/migrated/migrated/vmm/hostabi"
)

// minHeap is what must be left between static data and the boot blob, bytes: enough for a
// kernel to say that memory is short.
const minHeap = 1 << 16

// placeBlob writes the boot blob at the end of portable memory.
func (g *Guest) placeBlob() error {
	blob, err := bootBlob(&g.cfg)
	if err != nil {
		return err
	}
	mem := g.machine.Portable()
	static := g.cfg.Image.StaticEnd - hostabi.PortableBase
	if need := static + minHeap + uint64(len(blob)); need > uint64(len(mem)) {
		return fmt.Errorf("memory of %d bytes is too small: static data, arguments and files need %d", len(mem), pageUp(need))
	}
	off := len(mem) - len(blob)
	copy(mem[off:], blob)
	g.ctl.Blob = hostabi.PortableBase + uint64(off)
	g.ctl.BlobSize = uint64(len(blob))
	return nil
}

// bootBlob encodes arguments, environment and files as host_abi.h describes.
func bootBlob(cfg *Config) ([]byte, error) {
	var b []byte
	str := func(s string) {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(s)))
		b = append(append(b, s...), 0)
	}
	for _, list := range [][]string{cfg.Args, cfg.Env} {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(list)))
		for _, s := range list {
			if len(s) > math.MaxInt32 {
				return nil, fmt.Errorf("argument of %d bytes is too long", len(s))
			}
			str(s)
		}
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(cfg.Files)))
	for _, f := range cfg.Files {
		if !path.IsAbs(f.Path) || path.Clean(f.Path) != f.Path || f.Path == "/" {
			return nil, fmt.Errorf("file path %q in the guest must be absolute and without . and ..", f.Path)
		}
		b = binary.LittleEndian.AppendUint32(b, f.Mode)
		b = binary.LittleEndian.AppendUint64(b, uint64(len(f.Data)))
		var modified int64 // 1970 where nobody said
		if !f.ModTime.IsZero() {
			modified = f.ModTime.UnixNano()
		}
		b = binary.LittleEndian.AppendUint64(b, uint64(modified))
		str(f.Path)
		b = append(b, f.Data...)
	}
	return b, nil
}
