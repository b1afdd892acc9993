package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/layout"
	"github.com/migrated/migrated/layout/region"
	"github.com/migrated/migrated/node/rpcerror"
	"github.com/migrated/migrated/node/units"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// An imageRecord is one image.
type imageRecord struct {
	Digest       string        `json:"digest"`
	Name         string        `json:"name"`
	ABI          int           `json:"abi"`
	Layout       string        `json:"layout"`
	Sites        string        `json:"sites"`
	PortableBase uint64        `json:"portable_base"`
	StaticEnd    uint64        `json:"static_end"`
	Builds       []buildRecord `json:"builds"`
}

// A buildRecord is one build of an image. Sizes are there for a file alone.
type buildRecord struct {
	ISA       string `json:"isa"`
	Level     string `json:"level"`
	Exec      string `json:"exec"`
	Debug     string `json:"debug"`
	Stored    bool   `json:"stored"`
	ExecSize  uint64 `json:"exec_bytes,omitempty"`
	DebugSize uint64 `json:"debug_bytes,omitempty"`
}

func (a *app) inspectCommand() *cobra.Command {
	var showLayout bool
	cmd := &cobra.Command{
		Use:   "inspect VM|IMAGE",
		Short: "Show all about a VM or an image",
		Long: `Inspect shows a VM with its moves, and how it crashed if it did; or an image, given as a
file or as the digest of one that the node has.

With --layout it explains an image file's layout: the address of each symbol, its size and
the padding behind it in each build, totals, and the hash that names the layout.`,
		Example: `  migratectl inspect lua
  migratectl inspect lua.img
  migratectl inspect --layout lua.img`,
		Args: exactly("VM or IMAGE"),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
			names, _ := a.completeVMs(cmd, args, prefix)
			return names, cobra.ShellCompDirectiveDefault
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if showLayout {
				return a.inspectLayout(args[0])
			}
			if isFile(args[0]) {
				return a.inspectFile(args[0])
			}
			return a.with(cmd, func(ctx context.Context, client pb.NodeClient) error {
				if isDigest(args[0]) {
					return a.inspectStored(ctx, client, args[0])
				}
				return a.inspectVM(ctx, client, args[0])
			})
		},
	}
	cmd.Flags().BoolVar(&showLayout, "layout", false, "explain the layout of an image file")
	return cmd
}

func isDigest(s string) bool { return strings.HasPrefix(s, "sha256:") }

// isFile says whether an argument rather means a file than a VM: VMs have no slashes in
// their names.
func isFile(s string) bool {
	info, err := os.Stat(s)
	return strings.ContainsRune(s, '/') || err == nil && info.Mode().IsRegular()
}

func (a *app) inspectVM(ctx context.Context, client pb.NodeClient, ref string) error {
	vm, err := client.Inspect(ctx, &pb.VMRequest{Vm: ref})
	if status.Code(err) == codes.NotFound {
		return fmt.Errorf("%s, and there is no image file of that name", rpcerror.Text(err))
	}
	if err != nil {
		return err
	}
	record := newVMRecord(vm)
	return a.print(record, func(w io.Writer) error { return printVM(w, &record) })
}

func (a *app) inspectStored(ctx context.Context, client pb.NodeClient, digest string) error {
	m, err := client.InspectImage(ctx, &pb.InspectImageRequest{Digest: digest})
	if err != nil {
		return err
	}
	record := imageRecord{
		Digest: m.Digest, Name: m.Name, ABI: int(m.Abi), Layout: m.Layout, Sites: m.Sites,
		PortableBase: m.PortableBase, StaticEnd: m.StaticEnd,
	}
	for _, b := range m.Builds {
		record.Builds = append(record.Builds, buildRecord{ISA: b.Isa, Level: b.Level, Exec: b.Exec, Debug: b.Debug, Stored: b.Stored})
	}
	return a.print(record, func(w io.Writer) error { return printImage(w, &record) })
}

func (a *app) inspectFile(path string) error {
	m, err := openImage(path)
	if err != nil {
		return err
	}
	cfg := m.Config()
	record := imageRecord{
		Digest: string(m.Digest()), Name: cfg.Name, ABI: cfg.ABI, Layout: string(cfg.LayoutHash), Sites: string(cfg.SiteTable),
		PortableBase: cfg.PortableBase, StaticEnd: cfg.StaticEnd,
	}
	for _, info := range cfg.Builds {
		b := buildRecord{ISA: info.ISA, Level: info.Level, Exec: string(info.Exec), Debug: string(info.Debug)}
		for _, have := range m.Builds() {
			if have.Info == info {
				b.Stored, b.ExecSize, b.DebugSize = true, uint64(len(have.Exec)), uint64(len(have.Debug))
			}
		}
		record.Builds = append(record.Builds, b)
	}
	return a.print(record, func(w io.Writer) error { return printImage(w, &record) })
}

func (a *app) inspectLayout(path string) error {
	if isDigest(path) {
		return usagef("--layout: want an image file, not a digest")
	}
	m, err := openImage(path)
	if err != nil {
		return err
	}
	table, err := layout.DecodeTable(m.Layout())
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return a.print(table, table.Print)
}

func openImage(path string) (*image.Image, error) {
	m, err := image.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no image file %s", path)
	}
	return m, err
}

func printImage(w io.Writer, m *imageRecord) error {
	t := newTable(w)
	fmt.Fprintf(t, "name\t%s\ndigest\t%s\nabi\t%d\nlayout\t%s\nsites\t%s\n", m.Name, m.Digest, m.ABI, m.Layout, m.Sites)
	fmt.Fprintf(t, "static data\t%s at %#x\n", units.Bytes(m.StaticEnd-region.StaticBase).Short(), uint64(region.StaticBase))
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	fmt.Fprintln(t, "ISA\tLEVEL\tHERE\tSIZE\tDEBUG\tDIGEST")
	for _, b := range m.Builds {
		here, size, debug := "no", "", ""
		if b.Stored {
			here = "yes"
		}
		if b.ExecSize > 0 {
			size, debug = units.Bytes(b.ExecSize).Short(), units.Bytes(b.DebugSize).Short()
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%.19s\n", b.ISA, b.Level, here, size, debug, b.Exec)
	}
	return t.Flush()
}
