package node

import (
	"fmt"
	"strings"

	"github.com/migrated/migrated/image"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

func imageToWire(m *image.Image) *pb.Image {
	cfg := m.Config()
	w := &pb.Image{
		Digest:       string(m.Digest()),
		Name:         cfg.Name,
		Abi:          uint32(cfg.ABI),
		Layout:       string(cfg.LayoutHash),
		Sites:        string(cfg.SiteTable),
		PortableBase: cfg.PortableBase,
		StaticEnd:    cfg.StaticEnd,
	}
	for _, info := range cfg.Builds {
		b := &pb.Build{Isa: info.ISA, Level: info.Level, Exec: string(info.Exec), Debug: string(info.Debug)}
		for _, have := range m.Builds() {
			b.Stored = b.Stored || have.Info == info
		}
		w.Builds = append(w.Builds, b)
	}
	return w
}

// crashText is the account of a crash that ends a VM's log.
func crashText(rec *pb.VM, c *pb.Crash) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nmigrated: %s crashed on %s (%s)", rec.Name, rec.Node, rec.Isa)
	for _, s := range []string{c.Reason, c.Message} {
		if s != "" {
			fmt.Fprintf(&b, ": %s", s)
		}
	}
	if c.Reason != "" {
		fmt.Fprintf(&b, ", address %#x", c.Address)
	}
	fmt.Fprintf(&b, "\n  pc %#x\n", c.Pc)
	for i, r := range c.Registers {
		fmt.Fprintf(&b, "  %-4s %016x", r.Name, r.Value)
		if i%4 == 3 || i == len(c.Registers)-1 {
			b.WriteByte('\n')
		}
	}
	for i, f := range c.Backtrace {
		fmt.Fprintf(&b, "  #%-2d %#x %s", i, f.Pc, f.Function)
		if f.File != "" {
			fmt.Fprintf(&b, " %s:%d", f.File, f.Line)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
