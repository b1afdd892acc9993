// Package image reads and writes image files: one file, an OCI image layout in a tar
// archive, with one manifest for each build of a program.
package image

import "github.com/migrated/migrated/isa"

// A Digest is "sha256:" and 64 hexadecimal digits.
type Digest string

// Config is what identifies an image and what a host must know to run it. Its canonical
// JSON is an OCI config blob; the image's identity is that blob's digest.
type Config struct {
	ABI          int         `json:"abi"`           // MIG_ABI_VERSION of the guest
	Name         string      `json:"name"`          // what the programmer called it
	LayoutHash   Digest      `json:"layout"`        // names the common addresses
	SiteTable    Digest      `json:"sites"`         // digest of the site table's text
	PortableBase uint64      `json:"portable_base"` // guest virtual address
	StaticEnd    uint64      `json:"static_end"`    // first portable address behind static data
	Builds       []BuildInfo `json:"builds"`
}

// BuildInfo names one build: where it can run and the blobs that hold it.
type BuildInfo struct {
	ISA   string `json:"isa"`   // isa.ISA.Name
	Level string `json:"level"` // isa.Level.Name
	Exec  Digest `json:"exec"`  // digest of the stripped ELF, uncompressed
	Debug Digest `json:"debug"` // digest of the ELF's symbols and line tables, uncompressed
}

// A Build is one build, ready to be loaded.
type Build struct {
	Info  BuildInfo
	ISA   *isa.ISA
	Exec  []byte // stripped ELF: the loadable segments
	Debug []byte // symbols, call frame information and line tables; empty where not fetched
}
