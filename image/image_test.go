package image

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/layout/region"
)

// A segment of an executable made for a test.
type segment struct {
	addr, memsz uint64
	flags       elf.ProgFlag
	content     string
}

var plainSegments = []segment{
	{region.TextBase, 5, elf.PF_R, "hello"},
	{region.TextBase + 0x1000, 0x100, elf.PF_R | elf.PF_X, strings.Repeat("\xcc", 0x100)},
	{region.PrivateBase, 0x20, elf.PF_R | elf.PF_W, ""},
	{region.PortableBase, 0x1800, elf.PF_R | elf.PF_W, "INFO:compiler[Clang]\x00data"},
}

// executable returns an ELF file of segments.
func executable(i *isa.ISA, entry uint64, segments []segment) []byte {
	h := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(i.Machine), Version: 1, Entry: entry,
		Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: uint16(len(segments))}
	copy(h.Ident[:], elf.ELFMAG)
	h.Ident[elf.EI_CLASS], h.Ident[elf.EI_DATA], h.Ident[elf.EI_VERSION] = 2, 1, 1
	var head, body bytes.Buffer
	binary.Write(&head, binary.LittleEndian, h)
	for _, s := range segments {
		binary.Write(&head, binary.LittleEndian, elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: uint32(s.flags),
			Off: uint64(64 + 56*len(segments) + body.Len()), Vaddr: s.addr, Paddr: s.addr,
			Filesz: uint64(len(s.content)), Memsz: s.memsz, Align: 4096})
		body.WriteString(s.content)
	}
	return append(head.Bytes(), body.Bytes()...)
}

func build(level string, segments []segment) *Build {
	i, _, _ := isa.ByLevel(level)
	return &Build{
		Info:  BuildInfo{ISA: i.Name, Level: level},
		ISA:   i,
		Exec:  executable(i, region.TextBase+0x1010, segments),
		Debug: []byte("debug of " + level),
	}
}

func contents(levels ...string) *Contents {
	c := &Contents{ABI: region.ABIVersion, Name: "test", StaticEnd: region.PortableBase + 0x2000,
		Sites: []byte("0 main 16 i64@0\n"), Layout: []byte(`{"symbols":[]}`)}
	for _, l := range levels {
		c.Builds = append(c.Builds, build(l, plainSegments))
	}
	return c
}

func testImage(t testing.TB, levels ...string) *Image {
	t.Helper()
	m, err := New(contents(levels...))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func write(t testing.TB, m *Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWriteAndOpen(t *testing.T) {
	m := testImage(t, "armv8-a", "x86-64-v2", "x86-64-v3")
	file := write(t, m)
	if !bytes.Equal(file, write(t, m)) {
		t.Error("an image written twice gives two files")
	}
	path := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(path, file, 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if got.Digest() != m.Digest() || got.Digest() != DigestOf(got.ConfigBlob()) {
		t.Errorf("digest %s, want %s", got.Digest(), m.Digest())
	}
	if !bytes.Equal(got.Sites(), m.Sites()) || !bytes.Equal(got.Layout(), m.Layout()) {
		t.Error("site or layout table changed")
	}
	if c := got.Config(); c.Name != "test" || c.PortableBase != region.PortableBase ||
		c.SiteTable != DigestOf(m.Sites()) || c.LayoutHash != DigestOf(m.Layout()) {
		t.Errorf("config %+v", c)
	}
	if len(got.Builds()) != 3 {
		t.Fatalf("%d builds", len(got.Builds()))
	}
	for n, b := range got.Builds() {
		want := m.Builds()[n]
		if b.Info != want.Info || b.ISA != want.ISA || !bytes.Equal(b.Exec, want.Exec) || !bytes.Equal(b.Debug, want.Debug) {
			t.Errorf("build %+v, want %+v", b.Info, want.Info)
		}
	}
}

func TestBuildThatSuitsBest(t *testing.T) {
	m := testImage(t, "armv8-a", "x86-64-v2", "x86-64-v3")
	for _, tt := range []struct{ isa, levels, want string }{
		{"x86_64", "x86-64-v2", "x86-64-v2"},
		{"x86_64", "x86-64-v2 x86-64-v3 x86-64-v4", "x86-64-v3"},
		{"aarch64", "armv8-a armv8.2-a", "armv8-a"},
		{"x86_64", "", ""},
		{"riscv64", "rv64gc", ""},
	} {
		b, err := m.Build(tt.isa, strings.Fields(tt.levels))
		switch {
		case tt.want == "" && !errors.Is(err, ErrNoBuild):
			t.Errorf("%s %s: error %v", tt.isa, tt.levels, err)
		case tt.want != "" && (err != nil || b.Info.Level != tt.want):
			t.Errorf("%s %s: %+v, %v", tt.isa, tt.levels, b, err)
		}
	}
}

func TestPartsMergeToTheWhole(t *testing.T) {
	m := testImage(t, "armv8-a", "x86-64-v3")
	only := func(level string, debug bool) *Image {
		part := m.Part(func(b *Build) *Build {
			if b.Info.Level != level {
				return nil
			}
			c := *b
			if !debug {
				c.Debug = nil
			}
			return &c
		})
		got, err := OpenReader(bytes.NewReader(write(t, part)))
		if err != nil {
			t.Fatal(err)
		}
		if got.Digest() != m.Digest() || len(got.Builds()) != 1 || len(got.Config().Builds) != 2 {
			t.Fatalf("part has digest %s and %d builds", got.Digest(), len(got.Builds()))
		}
		return got
	}
	arm, x86, bare := only("armv8-a", true), only("x86-64-v3", true), only("x86-64-v3", false)
	if len(bare.Builds()[0].Debug) != 0 {
		t.Error("a part without debug information has some")
	}
	merged, err := Merge(bare, arm)
	if err != nil {
		t.Fatal(err)
	}
	if merged, err = Merge(merged, x86); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(write(t, merged), write(t, m)) {
		t.Error("parts do not merge to the whole")
	}
	if _, err := Merge(arm, testImage(t, "x86-64-v2")); err == nil {
		t.Error("two different images merge")
	}
}

// A registry's tools must be able to hold an image: image-spec, "OCI Image Layout
// Specification", "OCI Image Index", "OCI Image Manifest".
func TestIsAnOCIImageLayout(t *testing.T) {
	files := make(map[string][]byte)
	repack(t, write(t, testImage(t, "armv8-a", "x86-64-v3")), func(name string, content []byte) (string, []byte) {
		files[name] = content
		return name, content
	})
	if got := string(files["oci-layout"]); got != `{"imageLayoutVersion":"1.0.0"}` {
		t.Errorf("oci-layout is %s", got)
	}
	used := 2 // oci-layout and index.json
	seen := make(map[v1.Hash]bool)
	follow := func(d v1.Descriptor) []byte {
		t.Helper()
		content, ok := files["blobs/sha256/"+d.Digest.Hex]
		sum, n, err := v1.SHA256(bytes.NewReader(content))
		if !ok || err != nil || sum != d.Digest || n != d.Size {
			t.Fatalf("blob %s: %v, %d bytes, want %d, %v", d.Digest, sum, n, d.Size, err)
		}
		if !seen[d.Digest] {
			seen[d.Digest] = true
			used++
		}
		return content
	}
	index, err := v1.ParseIndexManifest(bytes.NewReader(files["index.json"]))
	if err != nil {
		t.Fatal(err)
	}
	if index.SchemaVersion != 2 || index.MediaType != types.OCIImageIndex {
		t.Errorf("index %+v", index)
	}
	var platforms []string
	for _, d := range index.Manifests {
		platforms = append(platforms, d.Platform.String())
		manifest, err := v1.ParseManifest(bytes.NewReader(follow(d)))
		if err != nil {
			t.Fatal(err)
		}
		if manifest.SchemaVersion != 2 || manifest.MediaType != types.OCIManifestSchema1 || len(manifest.Layers) == 0 {
			t.Errorf("manifest %+v", manifest)
		}
		follow(manifest.Config)
		for _, l := range manifest.Layers {
			follow(l)
		}
	}
	if got := strings.Join(platforms, " "); got != "linux/arm64/v8 linux/amd64/v3" {
		t.Errorf("platforms %s", got)
	}
	if used != len(files) {
		t.Errorf("%d of %d files are described", used, len(files))
	}
}

func TestInfoStringsAreReadable(t *testing.T) {
	file := write(t, testImage(t, "x86-64-v3"))
	for line := range bytes.Lines(file) {
		if bytes.Contains(line, []byte(`INFO:compiler[Clang]`)) {
			return
		}
	}
	t.Error("INFO:compiler[Clang] is not on a line of the file")
}

func TestRefusesExecutables(t *testing.T) {
	change := func(n int, f func(*segment)) []segment {
		s := append([]segment(nil), plainSegments...)
		f(&s[n])
		return s
	}
	for _, tt := range []struct {
		name     string
		segments []segment
		want     string
	}{
		{"writable text", change(1, func(s *segment) { s.flags |= elf.PF_W }), "flags"},
		{"executable data", change(3, func(s *segment) { s.flags |= elf.PF_X }), "flags"},
		{"read-only data", change(3, func(s *segment) { s.flags = elf.PF_R }), "flags"},
		{"unreadable", change(0, func(s *segment) { s.flags = 0 }), "flags"},
		{"below text", change(0, func(s *segment) { s.addr = 0x1000 }), "is not within"},
		{"out of text", change(1, func(s *segment) { s.memsz = region.PrivateBase }), "is not within"},
		{"behind static data", change(3, func(s *segment) { s.memsz = 0x2001 }), "is not within"},
		{"around the end of memory", change(3, func(s *segment) { s.addr, s.memsz = ^uint64(0)-100, 200 }), "is not within"},
		{"more file than memory", change(0, func(s *segment) { s.memsz = 4 }), "for 4 bytes of memory"},
		{"shared page", change(1, func(s *segment) { s.addr = region.TextBase + 0x800; s.memsz = 0x1000 }), "share a page"},
		{"overlap", change(0, func(s *segment) { s.addr = region.TextBase + 0x1080 }), "share a page"},
		{"no text", plainSegments[2:], "is not in text"},
		{"entry in data", change(1, func(s *segment) { s.flags = elf.PF_R }), "is not in text"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := contents()
			c.Builds = []*Build{build("x86-64-v3", tt.segments)}
			_, err := New(c)
			if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
	c := contents("x86-64-v3")
	c.Builds[0].Exec = executable(isa.AArch64, region.TextBase+0x1010, plainSegments)
	if _, err := New(c); !errors.Is(err, ErrFormat) {
		t.Errorf("a build with an executable for another ISA: error %v", err)
	}
	c.Builds[0].Exec = []byte("MZ")
	if _, err := New(c); !errors.Is(err, ErrFormat) {
		t.Errorf("a build that is no ELF file: error %v", err)
	}
}

// Every cut and every changed byte of a file is an error or leaves the image as it was.
func TestTruncatedAndAlteredFiles(t *testing.T) {
	m := testImage(t, "armv8-a", "x86-64-v3")
	file := write(t, m)
	end := len(bytes.TrimRight(file, "\x00")) // behind it is nothing but the archive's end
	for n := 0; n < end; n += 97 {
		if _, err := OpenReader(bytes.NewReader(file[:n])); !errors.Is(err, ErrFormat) {
			t.Fatalf("cut at %d of %d: error %v", n, len(file), err)
		}
	}
	for n := 0; n < end; n += 13 {
		altered := bytes.Clone(file)
		altered[n] ^= 0x41
		got, err := OpenReader(bytes.NewReader(altered))
		if err != nil {
			continue
		}
		if got.Digest() != m.Digest() || len(got.Builds()) != 2 {
			t.Fatalf("byte %d altered: opens as %s with %d builds", n, got.Digest(), len(got.Builds()))
		}
		for i, b := range got.Builds() {
			if !bytes.Equal(b.Exec, m.Builds()[i].Exec) || !bytes.Equal(b.Debug, m.Builds()[i].Debug) {
				t.Fatalf("byte %d altered: build %s opens with other content", n, b.Info.Level)
			}
		}
	}
}

// repack rewrites the files of an image.
func repack(t testing.TB, file []byte, change func(name string, content []byte) (string, []byte)) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	r := tar.NewReader(bytes.NewReader(file))
	for {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		h.Name, content = change(h.Name, content)
		if h.Name == "" {
			continue
		}
		h.Size = int64(len(content))
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestRefusesRepackedImages(t *testing.T) {
	file := write(t, testImage(t, "armv8-a", "x86-64-v3"))
	index := func(f func(*v1.IndexManifest)) func(string, []byte) (string, []byte) {
		return func(name string, content []byte) (string, []byte) {
			if name == indexName {
				var i v1.IndexManifest
				if err := json.Unmarshal(content, &i); err != nil {
					t.Fatal(err)
				}
				f(&i)
				content, _ = json.Marshal(i)
			}
			return name, content
		}
	}
	without := func(gone string) func(string, []byte) (string, []byte) {
		return func(name string, content []byte) (string, []byte) {
			if name == gone {
				name = ""
			}
			return name, content
		}
	}
	blob := ""
	for _, tt := range []struct {
		name   string
		change func(string, []byte) (string, []byte)
		want   string
	}{
		{"no marker", without(layoutName), "is this a file that migratecc wrote"},
		{"no index", without(indexName), "index.json is missing"},
		{"index is no JSON", func(n string, c []byte) (string, []byte) {
			if n == indexName {
				c = []byte("{")
			}
			return n, c
		}, "read index.json"},
		{"no manifests", index(func(i *v1.IndexManifest) { i.Manifests = nil }), "no builds"},
		{"a manifest twice", index(func(i *v1.IndexManifest) { i.Manifests = append(i.Manifests, i.Manifests[0]) }), "two builds for armv8-a"},
		{"other platform", index(func(i *v1.IndexManifest) { i.Manifests[0].Platform.Variant = "v9" }), "no build for"},
		{"exchanged platforms", index(func(i *v1.IndexManifest) {
			i.Manifests[0].Platform, i.Manifests[1].Platform = i.Manifests[1].Platform, i.Manifests[0].Platform
		}), "is not the one that the config names"},
		{"no platform", index(func(i *v1.IndexManifest) { i.Manifests[0].Platform = nil }), "no platform"},
		{"other type", index(func(i *v1.IndexManifest) { i.Manifests[0].MediaType = types.DockerManifestSchema2 }), "has type"},
		{"wrong size", index(func(i *v1.IndexManifest) { i.Manifests[0].Size++ }), "the file was altered"},
		{"a blob missing", func(n string, c []byte) (string, []byte) {
			if strings.HasPrefix(n, blobPrefix) && (blob == "" || blob == n) {
				blob, n = n, ""
			}
			return n, c
		}, "is missing"},
		{"an extra file", func(n string, c []byte) (string, []byte) {
			if n == layoutName {
				n = "passwd"
			}
			return n, c
		}, "oci-layout is missing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := OpenReader(bytes.NewReader(repack(t, file, tt.change)))
			if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
	holes := repack(t, file, func(name string, content []byte) (string, []byte) { return name, content })
	holes = append(sparse(t), holes...)
	if _, err := OpenReader(bytes.NewReader(holes)); !errors.Is(err, ErrFormat) {
		t.Errorf("a file with holes opens with error %v", err)
	}
	for _, text := range []string{"", "hello", strings.Repeat("x", 5000)} {
		if _, err := OpenReader(strings.NewReader(text)); !errors.Is(err, ErrFormat) {
			t.Errorf("%.10q opens with error %v", text, err)
		}
	}
}

// sparse returns the beginning of a tar whose first file is a hole of 1 GiB, in the format
// 0.1 of GNU tar's sparse files.
func sparse(t *testing.T) []byte {
	t.Helper()
	records := "22 GNU.sparse.major=0\n22 GNU.sparse.minor=1\n30 GNU.sparse.size=1073741824\n" +
		"26 GNU.sparse.numblocks=1\n31 GNU.sparse.map=1073741824,0\n"
	var out bytes.Buffer
	for _, h := range []struct {
		flag    byte
		content string
	}{{tar.TypeXHeader, records}, {tar.TypeReg, ""}} {
		block := make([]byte, 512)
		copy(block, "holes")
		copy(block[100:], "0000444\x000000000\x000000000\x00")
		copy(block[124:], fmt.Sprintf("%011o\x00%011o\x00", len(h.content), 0))
		copy(block[148:], "        ")
		block[156] = h.flag
		copy(block[257:], "ustar\x0000")
		sum := 0
		for _, b := range block {
			sum += int(b)
		}
		copy(block[148:], fmt.Sprintf("%06o\x00 ", sum))
		out.Write(block)
		out.WriteString(h.content)
		out.Write(make([]byte, (512-len(h.content)%512)%512))
	}
	h, err := tar.NewReader(bytes.NewReader(out.Bytes())).Next()
	if err != nil || h.Size != 1<<30 {
		t.Fatalf("the test's own file is no hole of 1 GiB: %+v, %v", h, err)
	}
	return out.Bytes()
}

func TestParseConfigRefuses(t *testing.T) {
	good := testImage(t, "armv8-a", "x86-64-v3")
	if _, err := ParseConfig(good.ConfigBlob()); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		f    func(*Config)
	}{
		{"no builds", func(c *Config) { c.Builds = nil }},
		{"unknown ISA", func(c *Config) { c.Builds[0].ISA = "vax" }},
		{"unknown level", func(c *Config) { c.Builds[0].Level = "armv11-a" }},
		{"level of another ISA", func(c *Config) { c.Builds[0].Level = "x86-64-v2" }},
		{"a build twice", func(c *Config) { c.Builds[1] = c.Builds[0] }},
		{"no digest", func(c *Config) { c.SiteTable = "" }},
		{"upper-case digest", func(c *Config) {
			c.Builds[0].Exec = Digest(strings.Replace(strings.ToUpper(string(c.Builds[0].Exec)), "SHA", "sha", 1))
		}},
		{"other base", func(c *Config) { c.PortableBase = 0x1000 }},
		{"static end unaligned", func(c *Config) { c.StaticEnd++ }},
		{"static end below", func(c *Config) { c.StaticEnd = 0x1000 }},
		{"static end above", func(c *Config) { c.StaticEnd = region.StaticLimit + region.PageSize }},
	} {
		var c Config
		if err := json.Unmarshal(good.ConfigBlob(), &c); err != nil {
			t.Fatal(err)
		}
		tt.f(&c)
		blob, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseConfig(blob); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: error %v", tt.name, err)
		}
	}
	spaced := append([]byte(" "), good.ConfigBlob()...)
	if _, err := ParseConfig(spaced); !errors.Is(err, ErrFormat) {
		t.Errorf("a config that is not canonical: error %v", err)
	}
}

// Whatever opens can be written, and opens again as the same.
func FuzzOpen(f *testing.F) {
	m := testImage(f, "armv8-a", "x86-64-v3")
	f.Add(write(f, m))
	f.Add(write(f, m.Part(func(b *Build) *Build { c := *b; c.Debug = nil; return &c })))
	f.Add([]byte("hello"))
	f.Fuzz(func(t *testing.T, file []byte) {
		m, err := OpenReader(bytes.NewReader(file))
		if err != nil {
			return
		}
		again, err := OpenReader(bytes.NewReader(write(t, m)))
		if err != nil {
			t.Fatalf("an image that opened does not open when written: %v", err)
		}
		if again.Digest() != m.Digest() || len(again.Builds()) != len(m.Builds()) {
			t.Fatal("an image that was written and read is another")
		}
	})
}
