// Package image reads and writes image files: one file, an OCI image layout in a tar
// archive, with one manifest for each build of a program.
package image

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/migrated/migrated/isa"
)

// Errors that callers decide on.
var (
	ErrFormat  = errors.New("not a valid image")     // truncated, altered, or something else
	ErrNoBuild = errors.New("no build can run here") // none is for that ISA and those CPU levels
)

// An Image is an image that was read and found valid. It does not change, and may be used by
// several goroutines at once.
type Image struct {
	config *Config
	blob   []byte // config's JSON
	digest Digest
	sites  []byte
	layout []byte
	builds []*Build // those that are present, in the order of config.Builds
}

// Config returns what identifies the image; it must not be changed. It names all builds,
// also those that a partial image lacks.
func (m *Image) Config() *Config { return m.config }

// ConfigBlob returns the config's JSON, whose digest is the image's identity.
func (m *Image) ConfigBlob() []byte { return m.blob }

// Digest is the image's identity.
func (m *Image) Digest() Digest { return m.digest }

// Sites returns the site table's text.
func (m *Image) Sites() []byte { return m.sites }

// Layout returns the layout table's JSON, which package layout reads.
func (m *Image) Layout() []byte { return m.layout }

// Builds returns the builds that are present.
func (m *Image) Builds() []*Build { return m.builds }

// Build returns the build that suits a host best: of those for its ISA that its CPU levels
// can run, the one for the highest level.
func (m *Image) Build(isaName string, levels []string) (*Build, error) {
	var best *Build
	for _, b := range m.builds {
		if b.Info.ISA != isaName || !slices.Contains(levels, b.Info.Level) {
			continue
		}
		if best == nil || b.ISA.Rank(b.Info.Level) > b.ISA.Rank(best.Info.Level) {
			best = b
		}
	}
	if best == nil {
		var has []string
		for _, b := range m.builds {
			has = append(has, b.Info.ISA+"/"+b.Info.Level)
		}
		return nil, fmt.Errorf("%w: the host is %s (%s), the image has %s",
			ErrNoBuild, isaName, strings.Join(levels, ", "), strings.Join(has, ", "))
	}
	return best, nil
}

// A Build is one build, ready to be loaded.
type Build struct {
	Info  BuildInfo
	ISA   *isa.ISA
	Exec  []byte // stripped ELF: the loadable segments
	Debug []byte // symbols, call frame information and line tables; empty where not fetched
}

// Merge returns the image that has the builds of both a and b, which must be parts of one
// image.
func Merge(a, b *Image) (*Image, error) {
	if a.digest != b.digest {
		return nil, fmt.Errorf("merge images: %s and %s are different images", a.digest, b.digest)
	}
	m := *a
	m.builds = nil
	for _, info := range a.config.Builds {
		x, y := a.find(info), b.find(info)
		if x == nil || y != nil && len(x.Debug) == 0 {
			x = y
		}
		if x != nil {
			m.builds = append(m.builds, x)
		}
	}
	return &m, nil
}

func (m *Image) find(info BuildInfo) *Build {
	for _, b := range m.builds {
		if b.Info == info {
			return b
		}
	}
	return nil
}

// Part returns an image with no builds but those that keep chooses, to be written for a host
// that needs no more. keep may drop a build's Debug by returning a copy without it.
func (m *Image) Part(keep func(*Build) *Build) *Image {
	part := *m
	part.builds = nil
	for _, b := range m.builds {
		if b := keep(b); b != nil {
			part.builds = append(part.builds, b)
		}
	}
	return &part
}
