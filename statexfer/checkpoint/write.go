package checkpoint

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/cespare/xxhash/v2"

	"github.com/migrated/migrated/statexfer"
)

// A Writer writes one file. Until Commit it has no name, or another one where the file system has
// only files with names. So a file that has the right name is complete, also after a crash.
type Writer struct {
	path      string
	temporary string // the other name
	tmp       *os.File
	buf       *bufio.Writer
	at        uint64
	pages     uint64
	trailer   trailer
}

// Create begins a file.
func Create(path string, h *Header) (*Writer, error) {
	if len(h.Parent) > maxName {
		return nil, fmt.Errorf("write checkpoint: the parent's name is too long")
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("write checkpoint: %s is there and is no file", path)
	}
	tmp, temporary, err := begin(path)
	if err != nil {
		return nil, fmt.Errorf("write checkpoint: %w", err)
	}
	w := &Writer{path: path, temporary: temporary, tmp: tmp, buf: bufio.NewWriterSize(tmp, 1<<20), pages: h.Pages}
	if _, err := w.Write(appendHeader(nil, h)); err != nil {
		return nil, errors.Join(err, w.Abort())
	}
	return w, nil
}

// Write appends to the file. It is for Take, and for what that calls.
func (w *Writer) Write(p []byte) (int, error) {
	n, err := w.buf.Write(p)
	w.at += uint64(n)
	if err != nil {
		err = fmt.Errorf("write checkpoint: %w", err)
	}
	return n, err
}

// Take is the other end of a live.Send that appends hashes. base is what the parent has; nil:
// there is none.
func (w *Writer) Take(ctx context.Context, conn net.Conn, base *statexfer.Offer) error {
	if _, err := base.WriteTo(conn); err != nil {
		return err
	}
	digest, err := statexfer.Relay(ctx, w, conn, w.pages, func(rounds int) error {
		_, err := conn.Write(binary.LittleEndian.AppendUint32(nil, uint32(rounds)))
		return err
	})
	if err != nil {
		return err
	}
	offer, err := statexfer.ReadOffer(conn, w.pages)
	if err != nil {
		return err
	}
	w.trailer.leaves, w.trailer.digest = w.at, digest
	_, err = offer.WriteTo(w)
	return err
}

// Commit adds the node's account, makes the file durable and gives it its name.
func (w *Writer) Commit(meta []byte) error {
	if len(meta) > maxMeta {
		return errors.Join(fmt.Errorf("write checkpoint: account of %d bytes is too long", len(meta)), w.Abort())
	}
	w.trailer.meta, w.trailer.metaSum = w.at, xxhash.Sum64(meta)
	_, err := w.Write(w.trailer.append(append([]byte(nil), meta...)))
	if err == nil {
		err = w.buf.Flush()
	}
	if err == nil {
		err = w.tmp.Sync()
	}
	if err == nil && w.temporary == "" {
		w.temporary, err = giveName(w.tmp, w.path)
	}
	if err = errors.Join(err, w.tmp.Close()); err == nil {
		err = os.Rename(w.temporary, w.path)
	}
	if err != nil {
		return fmt.Errorf("write checkpoint: %w", errors.Join(err, w.remove()))
	}
	return syncDir(filepath.Dir(w.path))
}

// Abort removes what was written.
func (w *Writer) Abort() error { return errors.Join(w.tmp.Close(), w.remove()) }

func (w *Writer) remove() error {
	if w.temporary == "" {
		return nil
	}
	if err := os.Remove(w.temporary); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// syncDir makes a new name in a directory durable.
func syncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	return nil
}
