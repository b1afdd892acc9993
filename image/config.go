package image

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/layout/region"
)

// A Digest is "sha256:" and 64 hexadecimal digits.
type Digest string

// DigestOf returns the digest of b.
func DigestOf(b []byte) Digest {
	sum := sha256.Sum256(b)
	return Digest("sha256:" + hex.EncodeToString(sum[:]))
}

func (d Digest) valid() bool {
	const prefix = "sha256:"
	if len(d) != len(prefix)+hex.EncodedLen(sha256.Size) || d[:len(prefix)] != prefix {
		return false
	}
	for _, c := range d[len(prefix):] {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// Config is what identifies an image and what a host must know to run it. Its canonical
// JSON is an OCI config blob; the image's identity is that blob's digest.
type Config struct {
	ABI          int         `json:"abi"`           // MIG_ABI_VERSION of the guest
	Name         string      `json:"name"`          // what the programmer called it
	LayoutHash   Digest      `json:"layout"`        // digest of the layout table: names the common addresses
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

// Limits on what a file can make a reader hold, bytes.
const (
	MaxConfig = 1 << 20 // config, manifests, index
	MaxBlob   = 1 << 30 // any other blob, uncompressed
)

// encode returns the canonical JSON: fields in the order of the struct, no spaces.
func (c *Config) encode() ([]byte, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	return json.Marshal(c)
}

// ParseConfig reads a config blob and validates it.
func ParseConfig(blob []byte) (*Config, error) {
	if len(blob) > MaxConfig {
		return nil, fmt.Errorf("%w: config has %d bytes", ErrFormat, len(blob))
	}
	c := new(Config)
	if err := json.Unmarshal(blob, c); err != nil {
		return nil, fmt.Errorf("%w: read config: %w", ErrFormat, err)
	}
	again, err := c.encode()
	if err != nil {
		return nil, err
	}
	// One config, one blob, one identity.
	if !bytes.Equal(again, blob) {
		return nil, fmt.Errorf("%w: config is not canonical JSON of this version", ErrFormat)
	}
	return c, nil
}

func (c *Config) validate() error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("%w: config: %s", ErrFormat, fmt.Sprintf(format, args...))
	}
	if !c.LayoutHash.valid() || !c.SiteTable.valid() {
		return fail("%q or %q is not a digest", c.LayoutHash, c.SiteTable)
	}
	if c.PortableBase != region.PortableBase {
		return fail("portable memory starts at %#x, not %#x", c.PortableBase, uint64(region.PortableBase))
	}
	if c.StaticEnd < c.PortableBase || c.StaticEnd > region.StaticLimit || c.StaticEnd%region.PageSize != 0 {
		return fail("static data ends at %#x", c.StaticEnd)
	}
	if len(c.Builds) == 0 {
		return fail("no builds")
	}
	seen := make(map[string]bool)
	for _, b := range c.Builds {
		i := isa.ByName(b.ISA)
		if i == nil || i.Rank(b.Level) < 0 {
			return fail("unknown build %s/%s: it needs a newer version of this program", b.ISA, b.Level)
		}
		if seen[b.Level] {
			return fail("two builds for %s", b.Level)
		}
		seen[b.Level] = true
		if !b.Exec.valid() || !b.Debug.valid() {
			return fail("%q or %q is not a digest", b.Exec, b.Debug)
		}
	}
	return nil
}
