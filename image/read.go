package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/zstd"

	"github.com/migrated/migrated/isa"
)

// MaxFile is the most that an image file may have, bytes.
const MaxFile = 4 << 30

// maxEntries bounds the number of files in an image's tar.
const maxEntries = 1000

// Open reads an image file and validates all of it.
func Open(path string) (*Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open image: %w", err)
	}
	defer f.Close()
	m, err := OpenReader(f)
	if err != nil {
		return nil, fmt.Errorf("open image %s: %w", path, err)
	}
	return m, nil
}

// OpenReader reads an image from a stream and validates all of it: whatever a *Image holds
// has the digest that its config gives it, and can be loaded. Some of the builds that the
// config names may be absent, and so may debug information.
func OpenReader(r io.Reader) (*Image, error) {
	files, err := readTar(r)
	if err != nil {
		return nil, err
	}
	if _, ok := files[layoutName]; !ok {
		return nil, fmt.Errorf("%w: %s is missing; is this a file that migratecc wrote?", ErrFormat, layoutName)
	}
	manifests, err := index(files)
	if err != nil {
		return nil, err
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(MaxBlob), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer dec.Close()
	l := &loader{files: files, dec: dec, raw: make(map[v1.Hash][]byte)}
	for _, d := range manifests {
		if err := l.manifest(d); err != nil {
			return nil, err
		}
	}
	return l.image()
}

// index returns what the index names: the manifest of each build.
func index(files map[string][]byte) ([]v1.Descriptor, error) {
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
	return index.Manifests, nil
}

// readTar returns the regular files of a tar.
func readTar(r io.Reader) (map[string][]byte, error) {
	files := make(map[string][]byte)
	limit := &io.LimitedReader{R: r, N: MaxFile}
	t := tar.NewReader(limit)
	for {
		h, err := t.Next()
		if err == io.EOF {
			if len(files) == 0 {
				return nil, fmt.Errorf("%w: the file is empty", ErrFormat)
			}
			return files, nil
		}
		if err != nil {
			return nil, tarError(err)
		}
		if h.Typeflag != tar.TypeReg || h.Size > MaxBlob || isSparse(h) || len(files) == maxEntries {
			return nil, fmt.Errorf("%w: unexpected entry %.100q", ErrFormat, h.Name)
		}
		if _, ok := files[h.Name]; ok {
			return nil, fmt.Errorf("%w: two entries %.100q", ErrFormat, h.Name)
		}
		// Grows with what is really there, whatever the header promises.
		var b bytes.Buffer
		if _, err := b.ReadFrom(t); err != nil {
			return nil, tarError(err)
		}
		files[h.Name] = b.Bytes()
	}
}

// isSparse reports whether a file has holes, which take no room in the archive but do when
// it is read: pax(1) of GNU tar, "GNU.sparse".
func isSparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}

func tarError(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: the file is cut off", ErrFormat)
	case errors.Is(err, tar.ErrHeader):
		return fmt.Errorf("%w: the file is not a tar archive", ErrFormat)
	}
	return fmt.Errorf("read image: %w", err)
}

// A loader follows descriptors from the index to what they describe.
type loader struct {
	files map[string][]byte
	dec   *zstd.Decoder
	raw   map[v1.Hash][]byte // uncompressed layers
	m     *Image
}

// blob returns the content of a descriptor, whose size and digest it checks.
func (l *loader) blob(what string, d v1.Descriptor, t types.MediaType) ([]byte, error) {
	if d.MediaType != t {
		return nil, fmt.Errorf("%w: %s has type %.100q, want %s", ErrFormat, what, d.MediaType, t)
	}
	b, ok := l.files[blobPrefix+d.Digest.Hex]
	if !ok {
		return nil, fmt.Errorf("%w: %s (%s) is missing", ErrFormat, what, d.Digest)
	}
	if int64(len(b)) != d.Size || string(DigestOf(b)) != d.Digest.String() {
		return nil, fmt.Errorf("%w: %s does not have the digest %s: the file was altered", ErrFormat, what, d.Digest)
	}
	return b, nil
}

// layer returns an uncompressed layer, whose digest must be want.
func (l *loader) layer(what string, d v1.Descriptor, t types.MediaType, want Digest) ([]byte, error) {
	b, err := l.blob(what, d, t)
	if err != nil {
		return nil, err
	}
	raw, ok := l.raw[d.Digest]
	if !ok {
		if raw, err = l.uncompress(b); err != nil {
			return nil, fmt.Errorf("%w: uncompress %s: %w", ErrFormat, what, err)
		}
		l.raw[d.Digest] = raw
	}
	if DigestOf(raw) != want {
		return nil, fmt.Errorf("%w: %s is not the one that the config names", ErrFormat, what)
	}
	return raw, nil
}

// uncompress uncompresses at most MaxBlob bytes, and allocates as they come.
func (l *loader) uncompress(b []byte) ([]byte, error) {
	if err := l.dec.Reset(bytes.NewReader(b)); err != nil {
		return nil, err
	}
	var raw bytes.Buffer
	n, err := raw.ReadFrom(io.LimitReader(l.dec, MaxBlob+1))
	if err == nil && n > MaxBlob {
		err = fmt.Errorf("more than %d bytes", MaxBlob)
	}
	return raw.Bytes(), err
}

// manifest adds the build of a manifest.
func (l *loader) manifest(d v1.Descriptor) error {
	text, err := l.blob("manifest", d, types.OCIManifestSchema1)
	if err != nil {
		return err
	}
	var manifest v1.Manifest
	if err := parseJSON("manifest", text, &manifest); err != nil {
		return err
	}
	if err := l.config(manifest.Config); err != nil {
		return err
	}
	if n := len(manifest.Layers); n != 3 && n != 4 {
		return fmt.Errorf("%w: a manifest has %d layers", ErrFormat, n)
	}
	if l.m.sites, err = l.layer("site table", manifest.Layers[0], typeSites, l.m.config.SiteTable); err != nil {
		return err
	}
	if l.m.layout, err = l.layer("layout table", manifest.Layers[1], typeLayout, l.m.config.LayoutHash); err != nil {
		return err
	}
	b, err := l.build(d.Platform)
	if err != nil {
		return err
	}
	if b.Exec, err = l.layer("executable", manifest.Layers[2], typeExec, b.Info.Exec); err != nil {
		return err
	}
	if len(manifest.Layers) == 4 {
		if b.Debug, err = l.layer("debug information", manifest.Layers[3], typeDebug, b.Info.Debug); err != nil {
			return err
		}
	}
	if err := checkExec(l.m.config, b); err != nil {
		return err
	}
	l.m.builds = append(l.m.builds, b)
	return nil
}

// config reads the config that all manifests share.
func (l *loader) config(d v1.Descriptor) error {
	blob, err := l.blob("config", d, typeConfig)
	if err != nil {
		return err
	}
	if l.m != nil {
		if Digest(d.Digest.String()) != l.m.digest {
			return fmt.Errorf("%w: its builds are of different images", ErrFormat)
		}
		return nil
	}
	c, err := ParseConfig(blob)
	if err != nil {
		return err
	}
	l.m = &Image{config: c, blob: blob, digest: DigestOf(blob)}
	return nil
}

// build returns the build for a platform, without its content.
func (l *loader) build(p *v1.Platform) (*Build, error) {
	if p == nil {
		return nil, fmt.Errorf("%w: a manifest has no platform", ErrFormat)
	}
	for _, info := range l.m.config.Builds {
		b := &Build{Info: info, ISA: isa.ByName(info.ISA)}
		if !p.Equals(*platform(b)) {
			continue
		}
		if l.m.find(info) != nil {
			return nil, fmt.Errorf("%w: two builds for %s", ErrFormat, info.Level)
		}
		return b, nil
	}
	return nil, fmt.Errorf("%w: the config names no build for %.100q", ErrFormat, p.String())
}

// image returns the finished image, with its builds in the config's order.
func (l *loader) image() (*Image, error) {
	for name := range l.files {
		if name != layoutName && name != indexName && !strings.HasPrefix(name, blobPrefix) {
			return nil, fmt.Errorf("%w: unexpected entry %.100q", ErrFormat, name)
		}
	}
	return Merge(l.m, l.m)
}
