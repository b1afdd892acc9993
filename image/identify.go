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

func identify(r io.Reader) (*Identity, error) {
	files, err := readSmall(r)
	if err != nil {
		return nil, err
	}
	text, ok := files[indexName]
	if !ok {
		return nil, fmt.Errorf("%w: %s is missing", ErrFormat, indexName)
	}
	var index v1.IndexManifest
	if err := parseJSON(indexName, text, &index); err != nil {
		return nil, err
	}
	if len(index.Manifests) == 0 {
		return nil, fmt.Errorf("%w: no builds", ErrFormat)
	}
	l := &loader{files: files}
	id := new(Identity)
	for _, d := range index.Manifests {
		text, err := l.blob("manifest", d, types.OCIManifestSchema1)
		if err != nil {
			return nil, err
		}
		var manifest v1.Manifest
		if err := parseJSON("manifest", text, &manifest); err != nil {
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

// readSmall returns the files of a tar that can be manifests or configs. A reader that can
// seek is not read in between.
func readSmall(r io.Reader) (map[string][]byte, error) {
	files := make(map[string][]byte)
	t := tar.NewReader(r)
	for n := 0; ; n++ {
		h, err := t.Next()
		if err == io.EOF {
			return files, nil
		}
		if err != nil {
			return nil, tarError(err)
		}
		if n == maxEntries || isSparse(h) {
			return nil, fmt.Errorf("%w: unexpected entry %.100q", ErrFormat, h.Name)
		}
		if h.Typeflag != tar.TypeReg || h.Size > MaxConfig {
			continue
		}
		b, err := io.ReadAll(t)
		if err != nil {
			return nil, tarError(err)
		}
		files[h.Name] = b
	}
}
