package image

import (
	"encoding/json"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Media types of our blobs. A manifest's layers are, in this order: site table, layout
// table, executable, and debug information where it is present.
const (
	typeConfig types.MediaType = "application/vnd.migrated.image.config.v1+json"
	typeSites  types.MediaType = "application/vnd.migrated.image.sites.v1.text+zstd"
	typeLayout types.MediaType = "application/vnd.migrated.image.layout.v1.json+zstd"
	typeExec   types.MediaType = "application/vnd.migrated.image.exec.v1.elf+zstd"
	typeDebug  types.MediaType = "application/vnd.migrated.image.debug.v1.elf+zstd"
)

// Names in an OCI image layout: image-spec, "OCI Image Layout Specification".
const (
	layoutName = "oci-layout"
	layoutText = `{"imageLayoutVersion":"1.0.0"}`
	indexName  = "index.json"
	blobPrefix = "blobs/sha256/"
)

// platform says where a build runs, in OCI's words: image-spec, "OCI Image Index".
func platform(b *Build) *v1.Platform {
	level, _ := b.ISA.Level(b.Info.Level)
	return &v1.Platform{Architecture: b.ISA.OCI, OS: "linux", Variant: level.Variant}
}

// descriptor returns the descriptor of a blob of ours.
func descriptor(t types.MediaType, blob []byte) v1.Descriptor {
	h, err := v1.NewHash(string(DigestOf(blob)))
	if err != nil {
		panic(err) // DigestOf returns digests
	}
	return v1.Descriptor{MediaType: t, Size: int64(len(blob)), Digest: h}
}

// parseJSON reads a JSON document of the layout.
func parseJSON(what string, blob []byte, v any) error {
	if len(blob) > MaxConfig {
		return fmt.Errorf("%w: %s has %d bytes", ErrFormat, what, len(blob))
	}
	if err := json.Unmarshal(blob, v); err != nil {
		return fmt.Errorf("%w: read %s: %w", ErrFormat, what, err)
	}
	return nil
}
