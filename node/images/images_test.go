package images

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/vmm/hostabi"
	"github.com/migrated/migrated/vmm/vmmtest"
)

// file is an image with a build for both ISAs.
func file(t *testing.T) []byte {
	t.Helper()
	cfg, builds := vmmtest.Guest(t, isa.X86_64, isa.AArch64)
	m, err := image.New(&image.Contents{
		ABI: hostabi.Version, Name: "guest", StaticEnd: (cfg.StaticEnd + 4095) &^ 4095,
		Sites: []byte("none\n"), Layout: []byte("{}\n"), Builds: builds,
	})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func open(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestInParts sends one build from store to store, then the other, and ends with the whole.
func TestInParts(t *testing.T) {
	whole := file(t)
	home, other := open(t), open(t)
	m, err := home.Import(bytes.NewReader(whole))
	if err != nil {
		t.Fatal(err)
	}
	d := m.Digest()
	for _, info := range m.Config().Builds {
		if _, err := other.Build(d, info); !errors.Is(err, ErrUnknown) {
			t.Errorf("build %s before it was sent: %v", info.ISA, err)
		}
		var part bytes.Buffer
		if err := home.Export(&part, d, info.ISA, info.Level); err != nil {
			t.Fatal(err)
		}
		if part.Len() >= len(whole) {
			t.Errorf("one build takes %d bytes, all %d", part.Len(), len(whole))
		}
		if _, err := other.Import(&part); err != nil {
			t.Fatal(err)
		}
		b, err := other.Build(d, info)
		if err != nil || image.DigestOf(b.Exec) != info.Exec || image.DigestOf(b.Debug) != info.Debug {
			t.Errorf("build %s: %v", info.ISA, err)
		}
	}
	again, err := Open(other.dir)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := again.Get(d); err != nil || len(m.Builds()) != 2 {
		t.Errorf("after reopening: %v, %v", m, err)
	}
	if err := home.Export(new(bytes.Buffer), d, "riscv64", "any"); !errors.Is(err, ErrUnknown) {
		t.Errorf("a build that does not exist: %v", err)
	}
}

// TestBadFiles: what is cut off, altered or misnamed is no image, and says so.
func TestBadFiles(t *testing.T) {
	whole := file(t)
	s := open(t)
	for _, n := range []int{0, 100, len(whole) / 2} {
		if _, err := s.Import(bytes.NewReader(whole[:n])); !errors.Is(err, image.ErrFormat) {
			t.Errorf("%d of %d bytes: %v", n, len(whole), err)
		}
	}
	altered := bytes.Clone(whole)
	altered[bytes.Index(altered, []byte(`"architecture"`))] ^= 1
	if _, err := s.Import(bytes.NewReader(altered)); err == nil {
		t.Error("an altered image was accepted")
	}
	name := "sha256:" + strings.Repeat("0", 64)
	if err := os.WriteFile(filepath.Join(s.dir, strings.Repeat("0", 64)+".image"), whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(image.Digest(name)); err == nil || !strings.Contains(err.Error(), "holds another image") {
		t.Errorf("an image under another's name: %v", err)
	}
	for _, d := range []image.Digest{"", "sha256:", "../../etc/passwd", image.Digest(strings.ToUpper(name))} {
		if _, err := s.Get(d); err == nil || errors.Is(err, ErrUnknown) {
			t.Errorf("%q is a digest: %v", d, err)
		}
	}
}

// TestTornImport: what a crash left is removed.
func TestTornImport(t *testing.T) {
	dir := t.TempDir()
	torn := filepath.Join(dir, "incoming-123")
	if err := os.WriteFile(torn, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(torn); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

// TestImportOnly: an image other than the one that was asked for leaves nothing behind.
func TestImportOnly(t *testing.T) {
	s, whole := open(t), file(t)
	m, err := image.OpenReader(bytes.NewReader(whole))
	if err != nil {
		t.Fatal(err)
	}
	other := image.Digest("sha256:" + strings.Repeat("0", 64))
	if err := s.ImportOnly(other, bytes.NewReader(whole)); err == nil || !strings.Contains(err.Error(), "came instead of") {
		t.Errorf("another image: %v", err)
	}
	if size, err := s.Size(); err != nil || size != 0 {
		t.Errorf("it has left %d bytes, %v", size, err)
	}
	if err := s.ImportOnly(m.Digest(), bytes.NewReader(whole)); err != nil {
		t.Error(err)
	}
	if size, err := s.Size(); err != nil || size != uint64(len(whole)) {
		t.Errorf("the store has %d bytes, and the image %d; %v", size, len(whole), err)
	}
}
