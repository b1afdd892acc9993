// Package images keeps the images that a node has, in files named by digest. An image may
// be there in part: with the builds that this node needed.
package images

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"weak"

	"github.com/migrated/migrated/image"
)

// ErrUnknown is wrapped for an image, or a build of one, that is not in the store.
var ErrUnknown = errors.New("not in the image store")

// A Store is a directory of images. Files in it are never changed, only replaced.
type Store struct {
	dir string

	mu     sync.Mutex // also held while a file is read or replaced
	open   map[image.Digest]weak.Pointer[image.Image]
	recent *image.Image // kept in memory: what was run last is run again
}

// Open opens or makes a store.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open image store: %w", err)
	}
	// What a crash left half-written is of no use to anyone.
	torn, err := filepath.Glob(filepath.Join(dir, tempPattern))
	if err != nil {
		return nil, fmt.Errorf("open image store: %w", err)
	}
	for _, path := range torn {
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("open image store: %w", err)
		}
	}
	return &Store{dir: dir, open: make(map[image.Digest]weak.Pointer[image.Image])}, nil
}

const tempPattern = "incoming-*"

var digestPattern = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// path is where an image lies; it refuses what is not a digest.
func (s *Store) path(d image.Digest) (string, error) {
	if !digestPattern.MatchString(string(d)) {
		return "", fmt.Errorf("%.100q is not a digest: want sha256: and 64 lower-case hexadecimal digits", d)
	}
	return filepath.Join(s.dir, strings.TrimPrefix(string(d), "sha256:")+".image"), nil
}

// Get returns an image, with the builds that are there.
func (s *Store) Get(d image.Digest) (*image.Image, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.get(d)
}

func (s *Store) get(d image.Digest) (*image.Image, error) {
	if m := s.open[d].Value(); m != nil {
		s.recent = m
		return m, nil
	}
	path, err := s.path(d)
	if err != nil {
		return nil, err
	}
	m, err := image.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("image %s: %w", d, ErrUnknown)
	}
	if err == nil && m.Digest() != d {
		err = fmt.Errorf("%s holds another image, %s", path, m.Digest())
	}
	if err != nil {
		return nil, fmt.Errorf("%w; delete the file and import the image again", err)
	}
	s.open[d], s.recent = weak.Make(m), m
	return m, nil
}

// Build returns one build of an image.
func (s *Store) Build(d image.Digest, info image.BuildInfo) (*image.Build, error) {
	m, err := s.Get(d)
	if err != nil {
		return nil, err
	}
	for _, b := range m.Builds() {
		if b.Info == info {
			return b, nil
		}
	}
	return nil, fmt.Errorf("build %s/%s of image %s: %w", info.ISA, info.Level, d, ErrUnknown)
}

// Import reads an image, checks it, and adds what it has to the store.
func (s *Store) Import(r io.Reader) (*image.Image, error) { return s.add(r, "") }

// ImportOnly is Import for an image that was asked for: another one leaves nothing behind.
func (s *Store) ImportOnly(want image.Digest, r io.Reader) error {
	_, err := s.add(r, want)
	return err
}

// Size is what all images take, bytes.
func (s *Store) Size() (uint64, error) {
	files, err := os.ReadDir(s.dir)
	if err != nil {
		return 0, fmt.Errorf("look at the image store: %w", err)
	}
	var total uint64
	for _, f := range files {
		info, err := f.Info()
		if errors.Is(err, os.ErrNotExist) { // it was temporary
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("look at the image store: %w", err)
		}
		total += uint64(info.Size())
	}
	return total, nil
}

// add is Import; want is the digest that it must have, or empty.
func (s *Store) add(r io.Reader, want image.Digest) (*image.Image, error) {
	f, err := os.CreateTemp(s.dir, tempPattern)
	if err != nil {
		return nil, fmt.Errorf("store image: %w", err)
	}
	defer os.Remove(f.Name()) // fails once it is renamed
	defer f.Close()
	m, err := image.OpenReader(io.TeeReader(r, f))
	if err != nil {
		return nil, err
	}
	if want != "" && m.Digest() != want {
		return nil, fmt.Errorf("%s came instead of %s", m.Digest(), want)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch have, err := s.get(m.Digest()); {
	case errors.Is(err, ErrUnknown):
	case err != nil:
		return nil, err
	default: // what came may lack builds that are here
		if m, err = image.Merge(have, m); err != nil {
			return nil, err
		}
		if err := rewrite(f, m); err != nil {
			return nil, fmt.Errorf("store image: %w", err)
		}
	}
	if err := s.keep(f, m.Digest()); err != nil {
		return nil, fmt.Errorf("store image: %w", err)
	}
	s.open[m.Digest()], s.recent = weak.Make(m), m
	return m, nil
}

// rewrite puts an image in place of what a file has.
func rewrite(f *os.File, m *image.Image) error {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	return m.Write(f)
}

// keep makes a file that is complete the one of an image.
func (s *Store) keep(f *os.File, d image.Digest) error {
	path, err := s.path(d)
	if err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// Export writes an image with one build alone, for a node that needs no other.
func (s *Store) Export(w io.Writer, d image.Digest, isaName, level string) error {
	m, err := s.Get(d)
	if err != nil {
		return err
	}
	part := m.Part(func(b *image.Build) *image.Build {
		if b.Info.ISA == isaName && b.Info.Level == level {
			return b
		}
		return nil
	})
	if len(part.Builds()) == 0 {
		return fmt.Errorf("build %s/%s of image %s: %w", isaName, level, d, ErrUnknown)
	}
	return part.Write(w)
}
