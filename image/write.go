package image

import (
	"archive/tar"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/zstd"
)

// Contents is what a new image is made of.
type Contents struct {
	ABI       int
	Name      string
	StaticEnd uint64
	Sites     []byte   // site table's text
	Layout    []byte   // layout table's JSON
	Builds    []*Build // Info's digests are filled in by New
}

// New makes an image, and checks it as Open would.
func New(c *Contents) (*Image, error) {
	m := &Image{
		config: &Config{
			ABI:          c.ABI,
			Name:         c.Name,
			LayoutHash:   DigestOf(c.Layout),
			SiteTable:    DigestOf(c.Sites),
			PortableBase: portableBase,
			StaticEnd:    c.StaticEnd,
		},
		sites:  c.Sites,
		layout: c.Layout,
	}
	for _, b := range c.Builds {
		b := *b
		b.Info.Exec, b.Info.Debug = DigestOf(b.Exec), DigestOf(b.Debug)
		m.config.Builds = append(m.config.Builds, b.Info)
		m.builds = append(m.builds, &b)
	}
	blob, err := m.config.encode()
	if err != nil {
		return nil, fmt.Errorf("make image: %w", err)
	}
	m.blob, m.digest = blob, DigestOf(blob)
	for _, b := range m.builds {
		if err := checkExec(m.config, b); err != nil {
			return nil, fmt.Errorf("make image: %w", err)
		}
	}
	return m, nil
}

// Write writes the image file. Equal images give equal files.
func (m *Image) Write(w io.Writer) error {
	if err := m.write(w); err != nil {
		return fmt.Errorf("write image: %w", err)
	}
	return nil
}

func (m *Image) write(w io.Writer) error {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	defer enc.Close()
	blobs := make(map[v1.Hash][]byte)
	add := func(t types.MediaType, blob []byte) v1.Descriptor {
		d := descriptor(t, blob)
		blobs[d.Digest] = blob
		return d
	}
	layer := func(t types.MediaType, raw []byte) v1.Descriptor {
		return add(t, enc.EncodeAll(raw, nil))
	}
	config := add(typeConfig, m.blob)
	common := []v1.Descriptor{layer(typeSites, m.sites), layer(typeLayout, m.layout)}
	index := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex}
	for _, b := range m.builds {
		manifest := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Config: config}
		manifest.Layers = append(slices.Clone(common), layer(typeExec, b.Exec))
		if len(b.Debug) > 0 {
			manifest.Layers = append(manifest.Layers, layer(typeDebug, b.Debug))
		}
		text, err := json.Marshal(manifest)
		if err != nil {
			return err
		}
		d := add(types.OCIManifestSchema1, text)
		d.Platform = platform(b)
		index.Manifests = append(index.Manifests, d)
	}
	if len(m.builds) > 0 {
		index.Annotations = infoAnnotations(m.builds[0].Exec)
	}
	// Indented: who looks for strings in a file reads it line by line.
	text, err := json.MarshalIndent(index, "", " ")
	if err != nil {
		return err
	}
	return writeTar(w, text, blobs)
}

// writeTar puts what a reader needs first in front: marker, index, then blobs by digest.
func writeTar(w io.Writer, index []byte, blobs map[v1.Hash][]byte) error {
	t := tar.NewWriter(w)
	put := func(name string, content []byte) error {
		err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o444, Size: int64(len(content)), Format: tar.FormatUSTAR})
		if err == nil {
			_, err = t.Write(content)
		}
		return err
	}
	if err := put(layoutName, []byte(layoutText)); err != nil {
		return err
	}
	if err := put(indexName, index); err != nil {
		return err
	}
	digests := make([]v1.Hash, 0, len(blobs))
	for d := range blobs {
		digests = append(digests, d)
	}
	slices.SortFunc(digests, func(a, b v1.Hash) int { return cmp.Compare(a.Hex, b.Hex) })
	for _, d := range digests {
		if err := put(blobPrefix+d.Hex, blobs[d]); err != nil {
			return err
		}
	}
	return t.Close()
}
