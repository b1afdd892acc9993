package toolchain

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func put(t *testing.T, c *Cache, step, content string) string {
	t.Helper()
	dir, err := c.Do(NewKey(step), t.TempDir(), func(dir string) error {
		return os.WriteFile(filepath.Join(dir, "file"), []byte(content), 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "file"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestCacheRemembers(t *testing.T) {
	c := &Cache{dir: t.TempDir()}
	if got := put(t, c, "a", "first"); got != "first" {
		t.Errorf("made %q", got)
	}
	if got := put(t, c, "a", "second"); got != "first" {
		t.Errorf("remembered %q", got)
	}
	if got := put(t, c, "b", "third"); got != "third" {
		t.Errorf("made %q", got)
	}
	var none *Cache
	if put(t, none, "a", "1") != "1" || put(t, none, "a", "2") != "2" {
		t.Error("no cache remembers")
	}
}

func TestCacheForgetsFailures(t *testing.T) {
	c := &Cache{dir: t.TempDir()}
	failure := errors.New("failure")
	_, err := c.Do(NewKey("a"), t.TempDir(), func(dir string) error {
		if err := os.WriteFile(filepath.Join(dir, "file"), []byte("half"), 0o644); err != nil {
			return err
		}
		return failure
	})
	if !errors.Is(err, failure) {
		t.Fatalf("error %v", err)
	}
	if got := put(t, c, "a", "whole"); got != "whole" {
		t.Errorf("remembered %q of a failed step", got)
	}
	entries, err := os.ReadDir(c.dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("the failed step left something behind: %v, %v", entries, err)
	}
}

// Processes that make the same at once all get a whole entry.
func TestCacheRaces(t *testing.T) {
	c := &Cache{dir: t.TempDir()}
	var made atomic.Int32
	var start, done sync.WaitGroup
	start.Add(8)
	for range 8 {
		done.Go(func() {
			start.Done()
			start.Wait()
			dir, err := c.Do(NewKey("a"), "", func(dir string) error {
				made.Add(1)
				return os.WriteFile(filepath.Join(dir, "file"), []byte("content"), 0o644)
			})
			if err != nil {
				t.Error(err)
				return
			}
			if b, err := os.ReadFile(filepath.Join(dir, "file")); err != nil || string(b) != "content" {
				t.Errorf("%q, %v", b, err)
			}
		})
	}
	done.Wait()
	if made.Load() == 0 {
		t.Error("nobody made the entry")
	}
}

func TestKeysTellInputsApart(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	one, same, other := file("one", "x"), file("same", "x"), file("other", "y")
	sum := func(add func(*Key)) string {
		k := NewKey("step")
		add(k)
		if k.err != nil {
			t.Fatal(k.err)
		}
		return string(k.h.Sum(nil))
	}
	if sum(func(k *Key) { k.File(one) }) != sum(func(k *Key) { k.File(same) }) {
		t.Error("equal content gives two keys")
	}
	for name, pair := range map[string][2]func(*Key){
		"content":    {func(k *Key) { k.File(one) }, func(k *Key) { k.File(other) }},
		"boundaries": {func(k *Key) { k.Strings("ab", "c") }, func(k *Key) { k.Strings("a", "bc") }},
		"order":      {func(k *Key) { k.Strings("a", "b") }, func(k *Key) { k.Strings("b", "a") }},
		"programs":   {func(k *Key) { k.Program(clang) }, func(k *Key) { k.Program(lld) }},
	} {
		if sum(pair[0]) == sum(pair[1]) {
			t.Errorf("keys of different %s are equal", name)
		}
	}
	k := NewKey("step")
	k.File(filepath.Join(dir, "absent"))
	if _, err := (&Cache{dir: dir}).Do(k, dir, func(string) error { return nil }); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a key of a file that is not there: error %v", err)
	}
}

func TestPruneDropsTheLeastRecentlyUsed(t *testing.T) {
	c := &Cache{dir: t.TempDir()}
	now := time.Now()
	for name, age := range map[string]time.Duration{"old": 5 * time.Hour, "middle": 4 * time.Hour, "recent": 3 * time.Hour, "in use": 0} {
		dir := filepath.Join(c.dir, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "file"), make([]byte, 1000), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(dir, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.prune(1500, now); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"old": false, "middle": false, "recent": true, "in use": true} {
		if isDir(filepath.Join(c.dir, name)) != want {
			t.Errorf("%s: there %v, want %v", name, !want, want)
		}
	}
}
