package checkpoint

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"

	"github.com/cespare/xxhash/v2"

	"github.com/migrated/migrated/statexfer"
)

// A File is a checkpoint that is being read.
type File struct {
	Header
	Meta   []byte   // the node's account of the VM
	Digest [32]byte // of memory as the file, with its parents, restores it

	path   string
	file   *os.File
	memory int64 // offset of the memory stream
	leaves int64 // of the hashes
	meta   int64 // of the account
}

// Open reads a file's header and trailer.
func Open(path string) (*File, error) {
	info, err := os.Stat(path) // first, as opening may wait for another side
	if err != nil {
		return nil, fmt.Errorf("read checkpoint: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read checkpoint %s: %w", path, bad("it is no file"))
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read checkpoint: %w", err)
	}
	f := &File{path: path, file: file}
	if err := f.begin(); err != nil {
		file.Close()
		return nil, fmt.Errorf("read checkpoint %s: %w", path, err)
	}
	return f, nil
}

func (f *File) begin() error {
	h, err := readHeader(f.file)
	if err != nil {
		return err
	}
	f.Header = *h
	if f.memory, err = f.file.Seek(0, io.SeekCurrent); err != nil {
		return err
	}
	end, err := f.file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	var t [trailerLen]byte
	if end < f.memory+trailerLen {
		return bad("it has no end: it was cut off")
	}
	if _, err := f.file.ReadAt(t[:], end-trailerLen); err != nil {
		return err
	}
	parts, err := parseTrailer(&t, uint64(f.memory), uint64(end-trailerLen))
	if err != nil {
		return err
	}
	f.leaves, f.meta, f.Digest = int64(parts.leaves), int64(parts.meta), parts.digest
	f.Meta = make([]byte, end-trailerLen-f.meta)
	if _, err := f.file.ReadAt(f.Meta, f.meta); err != nil {
		return err
	}
	if xxhash.Sum64(f.Meta) != parts.metaSum {
		return bad("checksum of the account of the VM")
	}
	return nil
}

// Path is the name that the file was opened by.
func (f *File) Path() string { return f.path }

// Memory returns the file's memory stream.
func (f *File) Memory() io.Reader {
	return bufio.NewReaderSize(io.NewSectionReader(f.file, f.memory, f.leaves-f.memory), 1<<20)
}

// Offer returns the hashes of all pages: what a file that builds on this one need not have.
func (f *File) Offer() (*statexfer.Offer, error) {
	r := io.NewSectionReader(f.file, f.leaves, f.meta-f.leaves)
	offer, err := statexfer.ReadOffer(r, f.Pages)
	if err != nil {
		return nil, fmt.Errorf("read checkpoint %s: %w", f.path, damaged(err))
	}
	return offer, nil
}

// damaged marks an error of reading as one of what the file holds, unless it is the disk's.
func damaged(err error) error {
	if e := new(os.PathError); errors.As(err, &e) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrFormat, err)
}

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }

// MaxChain bounds how many files may build on each other.
const MaxChain = 1000

// A Chain is a checkpoint with all that it builds on, the oldest first.
type Chain []*File

// OpenChain opens a file and its parents, and checks that each is what the next was built on.
func OpenChain(path string) (c Chain, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
			c = nil
		}
	}()
	for {
		f, err := Open(path)
		if err != nil && len(c) > 0 {
			err = fmt.Errorf("%w; %s builds on it: put it back there, as it was", err, c[0].path)
		}
		if err != nil {
			return c, err
		}
		if len(c) > 0 {
			child := c[0]
			if f.Digest != child.ParentDigest || f.Pages != child.Pages {
				return append(Chain{f}, c...), fmt.Errorf("read checkpoint: %s is not what %s was built on: it was replaced, or is another VM's; put back what was there", path, child.path)
			}
		}
		c = append(Chain{f}, c...)
		if f.Parent == "" {
			return c, nil
		}
		if len(c) == MaxChain {
			return c, fmt.Errorf("read checkpoint: more than %d files build on each other", MaxChain)
		}
		path = filepath.Join(filepath.Dir(path), f.Parent)
	}
}

// Has says whether a path is one of the files, by whatever name.
func (c Chain) Has(path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(c, func(f *File) bool {
		own, err := f.file.Stat()
		return err == nil && os.SameFile(info, own)
	})
}

// Last is the file that was asked for.
func (c Chain) Last() *File { return c[len(c)-1] }

// Feed is the other end of one live.Receive for each file, each of which is told what the one
// before has left in memory.
func (c Chain) Feed(ctx context.Context, conn net.Conn) error {
	for _, f := range c {
		if err := f.feed(ctx, conn); err != nil {
			return &FeedError{Path: f.path, Err: err}
		}
	}
	return nil
}

// A FeedError says at which file of a chain an error came up.
type FeedError struct {
	Path string
	Err  error
}

func (e *FeedError) Error() string { return fmt.Sprintf("restore checkpoint %s: %v", e.Path, e.Err) }
func (e *FeedError) Unwrap() error { return e.Err }

func (f *File) feed(ctx context.Context, conn net.Conn) error {
	if _, err := statexfer.Agree(conn, f.Pages, nil); err != nil {
		return err
	}
	rounds := 0
	_, err := statexfer.Relay(ctx, conn, f.Memory(), f.Pages, func(n int) error { rounds = n; return nil })
	if err != nil {
		if e := new(statexfer.StreamError); errors.As(err, &e) {
			err = damaged(err)
		}
		return err
	}
	for want := range rounds { // what it acknowledges
		var b [4]byte
		if _, err := io.ReadFull(conn, b[:]); err != nil {
			return err
		}
		if n := binary.LittleEndian.Uint32(b[:]); n != uint32(want+1) {
			return fmt.Errorf("round %d is said to be in place after %d", n, want)
		}
	}
	return nil
}

// Close closes all files.
func (c Chain) Close() error {
	var errs []error
	for _, f := range c {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}
