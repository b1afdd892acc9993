package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/node/units"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// runOptions are the flags of run.
type runOptions struct {
	name   string
	memory units.Bytes
	env    []string
	files  []string
	detach bool
}

func (a *app) runCommand() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run [flags] IMAGE [-- ARGUMENT...]",
		Short: "Run a program as a VM",
		Long: `Run starts the program of an image as a VM of this node.

Without --detach it is attached: what you type reaches the program, what it prints reaches
you, interrupt (Ctrl-C) asks it to stop and a second one ends it, and migratectl ends with
the program's status. That stays so while the VM moves.

IMAGE is a file, or the digest of an image that the node has.`,
		Example: `  migratectl run primes.img
  migratectl run --memory 256M --env TERM=dumb lua.img -- script.lua 10
  migratectl run --file ./script.lua:/script.lua lua.img -- /script.lua
  echo data | migratectl run filter.img | sort
  migratectl run --detach --name worker worker.img`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("run: IMAGE is missing")
			}
			if dash := cmd.ArgsLenAtDash(); dash != 1 && len(args) > 1 {
				return usagef("run: put -- between the image and the program's arguments")
			}
			return nil
		},
		Annotations: map[string]string{programStatus: "yes"},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withContext(cmd.Context(), func(ctx context.Context, client pb.NodeClient) error {
				return a.run(ctx, client, args[0], args[1:], &o)
			})
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveDefault
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.name, "name", "", "name of the VM (default made from the image's)")
	flags.Var(&o.memory, "memory", "memory for the program's data, such as 64M (default the daemon's)")
	flags.StringArrayVar(&o.env, "env", nil, "environment variable KEY=VALUE; may be repeated")
	flags.StringArrayVar(&o.files, "file", nil, "HOST:GUEST, a file or directory to put into the VM's file system; may be repeated")
	flags.BoolVarP(&o.detach, "detach", "d", false, "do not wait: print the VM's name and return")
	return cmd
}

func (a *app) run(ctx context.Context, client pb.NodeClient, imageRef string, args []string, o *runOptions) error {
	for _, e := range o.env {
		if k, _, ok := strings.Cut(e, "="); !ok || k == "" {
			return usagef("--env %q: want KEY=VALUE", e)
		}
	}
	files, err := collectFiles(o.files)
	if err != nil {
		return err
	}
	spec := &pb.RunSpec{
		Name: o.name, Memory: uint64(o.memory), Args: args, Env: o.env, Input: !o.detach,
	}
	if err := chooseImage(spec, imageRef); err != nil {
		return err
	}
	begin := a.runAttached
	if o.detach {
		begin = a.runDetached
	}
	// Most images are run again and again: whether the daemon has this one is found out on the way.
	lacking, err := begin(ctx, client, spec, files)
	if lacking && !isDigest(imageRef) {
		if spec.Image, err = importImage(ctx, client, imageRef); err != nil {
			return err
		}
		_, err = begin(ctx, client, spec, files)
	}
	return err
}

// chooseImage has a spec name the image that an operator does, and the executables of its file.
func chooseImage(spec *pb.RunSpec, ref string) error {
	if isDigest(ref) {
		spec.Image = ref
		return nil
	}
	id, err := image.Identify(ref)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("no image file %s: build one with migratecc -o %s ...", ref, ref)
	}
	if err != nil {
		return err
	}
	spec.Image = string(id.Digest)
	for _, info := range id.Present {
		spec.Executables = append(spec.Executables, string(info.Exec))
	}
	return nil
}

// importImage gives the daemon an image file, and returns its digest.
func importImage(ctx context.Context, client pb.NodeClient, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	stream, err := client.ImportImage(ctx)
	if err != nil {
		return "", err
	}
	err = pieces(f, func(p []byte) error { return stream.Send(&pb.ImportImageRequest{Data: p}) })
	if err != nil && !errors.Is(err, io.EOF) { // io.EOF: the daemon's answer says why
		return "", err
	}
	m, err := stream.CloseAndRecv()
	if err != nil {
		return "", err
	}
	return m.Digest, nil
}

// runDetached starts a program and says what it is called. lacking: the daemon has not all of its
// image.
func (a *app) runDetached(ctx context.Context, client pb.NodeClient, spec *pb.RunSpec, files []hostFile) (lacking bool, err error) {
	stream, err := client.Run(ctx)
	if err != nil {
		return false, err
	}
	if err := sendRun(spec, files, stream.Send); err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	vm, err := stream.CloseAndRecv()
	if err != nil {
		return status.Code(err) == codes.NotFound, err
	}
	return false, a.print(newVMRecord(vm), func(w io.Writer) error {
		_, err := fmt.Fprintln(w, vm.Name)
		return err
	})
}

// sendRun sends a spec and the contents of files. io.EOF: the daemon's answer says why.
func sendRun(spec *pb.RunSpec, files []hostFile, send func(*pb.RunRequest) error) error {
	err := send(&pb.RunRequest{Part: &pb.RunRequest_Spec{Spec: spec}})
	for _, f := range files {
		if err == nil {
			err = f.send(send)
		}
	}
	return err
}

// A hostFile is to be put into a VM.
type hostFile struct {
	host, guest string
}

// collectFiles reads --file HOST:GUEST; a directory stands for all files below it.
func collectFiles(specs []string) ([]hostFile, error) {
	var files []hostFile
	for _, spec := range specs {
		host, guest, ok := strings.Cut(spec, ":")
		if !ok || host == "" || !path.IsAbs(guest) {
			return nil, usagef("--file %q: want HOST:GUEST, GUEST an absolute path", spec)
		}
		err := filepath.WalkDir(host, func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			rel, err := filepath.Rel(host, p)
			if err != nil {
				return err
			}
			files = append(files, hostFile{p, path.Join(guest, filepath.ToSlash(rel))})
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("--file %s: %w", spec, err)
		}
	}
	return files, nil
}

// send streams one file.
func (f *hostFile) send(send func(*pb.RunRequest) error) error {
	in, err := os.Open(f.host)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", f.host)
	}
	err = send(&pb.RunRequest{Part: &pb.RunRequest_File{File: &pb.FileHeader{
		Path: f.guest, Mode: uint32(info.Mode().Perm()), MtimeNs: info.ModTime().UnixNano(), Size: uint64(info.Size()),
	}}})
	if err != nil {
		return err
	}
	// What a file gains meanwhile is left out; one that shrinks is the daemon's to refuse.
	return pieces(io.LimitReader(in, info.Size()), func(p []byte) error {
		return send(&pb.RunRequest{Part: &pb.RunRequest_Data{Data: p}})
	})
}

// pieces calls f with all that r has, in messages that gRPC takes.
func pieces(r io.Reader, f func([]byte) error) error {
	buf := make([]byte, 256<<10)
	for {
		n, err := io.ReadFull(r, buf)
		if n > 0 {
			if err := f(append([]byte(nil), buf[:n]...)); err != nil {
				return err
			}
		}
		switch err {
		case nil:
		case io.EOF, io.ErrUnexpectedEOF:
			return nil
		default:
			return err
		}
	}
}
