// Package images keeps the images that a node has: their parts, in files named by digest.
// An image of several builds may be there in part.
package images

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/isa"
)

// Limits on what a peer or a file may make this node store, bytes.
const (
	MaxConfig = 1 << 20
	MaxBlob   = 1 << 30
)

// ErrUnknown is wrapped for an image, or a part of one, that is not in the store.
var ErrUnknown = errors.New("not in the image store")

// A Store is a directory of parts.
type Store struct {
	dir string
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
	return &Store{dir: dir}, nil
}

const tempPattern = "incoming-*"

// path is where a part lies; it refuses what is not a digest.
func (s *Store) path(d image.Digest) (string, error) {
	h, ok := strings.CutPrefix(string(d), "sha256:")
	if b, err := hex.DecodeString(h); !ok || err != nil || len(b) != sha256.Size || strings.ToLower(h) != h {
		return "", fmt.Errorf("%q is not a digest: want sha256: and %d lower-case hexadecimal digits", d, 2*sha256.Size)
	}
	return filepath.Join(s.dir, h), nil
}

// Has says whether a part is there.
func (s *Store) Has(d image.Digest) bool {
	path, err := s.path(d)
	if err != nil {
		return false
	}
	_, err = os.Stat(path)
	return err == nil
}

// Open returns a part and its size.
func (s *Store) Open(d image.Digest) (*os.File, int64, error) {
	path, err := s.path(d)
	if err != nil {
		return nil, 0, err
	}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, 0, fmt.Errorf("%s: %w", d, ErrUnknown)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("open part of an image: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, fmt.Errorf("open part of an image: %w", err)
	}
	return f, info.Size(), nil
}

// Put stores a part of at most limit bytes, if it has that digest. A reader never sees half
// of it.
func (s *Store) Put(d image.Digest, r io.Reader, limit int64) error {
	path, err := s.path(d)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(s.dir, tempPattern)
	if err != nil {
		return fmt.Errorf("store part of an image: %w", err)
	}
	defer os.Remove(f.Name()) // fails once it is renamed
	defer f.Close()
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, hash), io.LimitReader(r, limit+1))
	if err != nil {
		return fmt.Errorf("store part of an image: %w", err)
	}
	if n > limit {
		return fmt.Errorf("store part of an image: it is larger than %d bytes", limit)
	}
	if got := image.Digest("sha256:" + hex.EncodeToString(hash.Sum(nil))); got != d {
		return fmt.Errorf("store part of an image: what came is %s, not %s", got, d)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("store part of an image: %w", err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("store part of an image: %w", err)
	}
	return nil
}

// read returns a part whose digest it checks again: the disk may have changed it.
func (s *Store) read(d image.Digest, limit int64) ([]byte, error) {
	f, size, err := s.Open(d)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size > limit {
		return nil, fmt.Errorf("read part of an image: %d bytes are more than %d", size, limit)
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, fmt.Errorf("read part of an image: %w", err)
	}
	if got := digestOf(b); got != d {
		return nil, fmt.Errorf("read part of an image: %s was changed on disk: delete it and import the image again", d)
	}
	return b, nil
}

func digestOf(b []byte) image.Digest {
	sum := sha256.Sum256(b)
	return image.Digest("sha256:" + hex.EncodeToString(sum[:]))
}

// ParseConfig reads a config blob and checks that it is the one with that digest.
func ParseConfig(blob []byte, d image.Digest) (*image.Config, error) {
	if got := digestOf(blob); got != d {
		return nil, fmt.Errorf("image config is %s, not %s", got, d)
	}
	if len(blob) > MaxConfig {
		return nil, fmt.Errorf("image config has %d bytes, more than %d", len(blob), MaxConfig)
	}
	cfg := new(image.Config)
	dec := json.NewDecoder(bytes.NewReader(blob))
	dec.DisallowUnknownFields()
	if err := dec.Decode(cfg); err != nil {
		return nil, fmt.Errorf("read image config: %w", err)
	}
	return cfg, nil
}

// Config returns an image's config and the blob that it was read from.
func (s *Store) Config(d image.Digest) (*image.Config, []byte, error) {
	blob, err := s.read(d, MaxConfig)
	if err != nil {
		return nil, nil, err
	}
	cfg, err := ParseConfig(blob, d)
	return cfg, blob, err
}

// Build loads one build; its debug part only where the store has it.
func (s *Store) Build(info image.BuildInfo) (*image.Build, error) {
	i := isa.ByName(info.ISA)
	if i == nil {
		return nil, fmt.Errorf("load build: no such instruction set: %q", info.ISA)
	}
	b := &image.Build{Info: info, ISA: i}
	var err error
	if b.Exec, err = s.read(info.Exec, MaxBlob); err != nil {
		return nil, fmt.Errorf("load build: %w", err)
	}
	if s.Has(info.Debug) {
		if b.Debug, err = s.read(info.Debug, MaxBlob); err != nil {
			return nil, fmt.Errorf("load build: %w", err)
		}
	}
	return b, nil
}

// Missing lists the parts of a build that are not in the store.
func (s *Store) Missing(info image.BuildInfo) []image.Digest {
	var missing []image.Digest
	for _, d := range []image.Digest{info.Exec, info.Debug} {
		if d != "" && !s.Has(d) {
			missing = append(missing, d)
		}
	}
	return missing
}
