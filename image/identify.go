package image

import (
	"archive/tar"
	"fmt"
	"io"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// An Identity is what an image file says of itself. Its builds were not looked at.
type Identity struct {
	Digest  Digest
	Config  *Config
	Present []BuildInfo // builds that are in the file, of those that Config names
}

// Identify reads an image file's index, manifests and config, and leaves out the rest: to ask
// whether an image is known already. Whoever takes the image in opens it.
func Identify(path string) (*Identity, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("identify image: %w", err)
	}
	defer f.Close()
	id, err := identify(f)
	if err != nil {
		return nil, fmt.Errorf("identify image %s: %w", path, err)
	}
	return id, nil
}

func identify(r io.ReadSeeker) (*Identity, error) {
	s, err := scan(r)
	if err != nil {
		return nil, err
	}
	if err := s.fetch(indexName); err != nil {
		return nil, err
	}
	manifests, err := index(s.files)
	if err != nil {
		return nil, err
	}
	l := &loader{files: s.files}
	id := new(Identity)
	for _, d := range manifests {
		if err := s.fetch(blobPrefix + d.Digest.Hex); err != nil {
			return nil, err
		}
		text, err := l.blob("manifest", d, types.OCIManifestSchema1)
		if err != nil {
			return nil, err
		}
		var manifest v1.Manifest
		if err := parseJSON("manifest", text, &manifest); err != nil {
			return nil, err
		}
		if err := s.fetch(blobPrefix + manifest.Config.Digest.Hex); err != nil {
			return nil, err
		}
		if err := l.config(manifest.Config); err != nil {
			return nil, err
		}
		b, err := l.build(d.Platform)
		if err != nil {
			return nil, err
		}
		id.Present = append(id.Present, b.Info)
	}
	id.Config, id.Digest = l.m.config, l.m.digest
	return id, nil
}

// A scanned tar knows where its files are, and has those that were fetched.
type scanned struct {
	r     io.ReadSeeker
	at    map[string]extent
	files map[string][]byte
}

// An extent of a tar, bytes.
type extent struct{ offset, size int64 }

// scan finds the files of a tar by their headers. archive/tar reads no more than those, and
// so leaves the reader at each file's beginning.
func scan(r io.ReadSeeker) (*scanned, error) {
	s := &scanned{r: r, at: make(map[string]extent), files: make(map[string][]byte)}
	t := tar.NewReader(r)
	for {
		h, err := t.Next()
		if err == io.EOF {
			return s, nil
		}
		if err != nil {
			return nil, tarError(err)
		}
		_, twice := s.at[h.Name]
		if twice || h.Typeflag != tar.TypeReg || isSparse(h) || len(s.at) == maxEntries {
			return nil, fmt.Errorf("%w: unexpected entry %.100q", ErrFormat, h.Name)
		}
		offset, err := r.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, err
		}
		s.at[h.Name] = extent{offset, h.Size}
	}
}

// fetch reads a manifest or a config, if it is there.
func (s *scanned) fetch(name string) error {
	e, ok := s.at[name]
	if !ok || s.files[name] != nil {
		return nil
	}
	if e.size > MaxConfig {
		return fmt.Errorf("%w: %s has %d bytes", ErrFormat, name, e.size)
	}
	if _, err := s.r.Seek(e.offset, io.SeekStart); err != nil {
		return err
	}
	b := make([]byte, e.size)
	if _, err := io.ReadFull(s.r, b); err != nil {
		return tarError(err)
	}
	s.files[name] = b
	return nil
}
