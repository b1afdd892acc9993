package toolchain

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"time"
)

// A Cache remembers what steps made, by the content of all that they depend on. Entries are
// directories of files that never change; several processes may use a cache at once.
type Cache struct {
	dir string
}

// maxCache is what a cache may grow to, bytes; the least recently used entries go first.
const maxCache = 4 << 30

// OpenCache returns the cache in $MIGRATED_CACHE, else in $XDG_CACHE_HOME/migrated, else in
// ~/.cache/migrated. MIGRATED_CACHE=off gives none.
func OpenCache() (*Cache, error) {
	dir := os.Getenv("MIGRATED_CACHE")
	if dir == "off" {
		return nil, nil
	}
	asked := dir != ""
	if !asked {
		user, err := os.UserCacheDir()
		if err != nil {
			return nil, nil // no home, nowhere to remember
		}
		dir = filepath.Join(user, "migrated")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		if !asked {
			return nil, nil // as on machines that build packages, with a home that is none
		}
		return nil, fmt.Errorf("open cache; set MIGRATED_CACHE to another directory, or to off: %w", err)
	}
	return &Cache{dir: dir}, nil
}

// A Key is the hash of what a step depends on.
type Key struct {
	h   hash.Hash
	err error
}

// NewKey starts a key with the step's name.
func NewKey(step string) *Key {
	k := &Key{h: sha256.New()}
	k.Strings(step)
	return k
}

// Strings adds strings, each delimited.
func (k *Key) Strings(list ...string) {
	for _, s := range list {
		fmt.Fprintf(k.h, "%d:%s", len(s), s)
	}
}

// Bytes adds what a file has in it.
func (k *Key) Bytes(content []byte) {
	sum := sha256.Sum256(content)
	k.h.Write(sum[:])
}

// File adds a file's content, as Bytes does.
func (k *Key) File(path string) {
	f, err := os.Open(path)
	if err == nil {
		defer f.Close()
		sum := sha256.New()
		_, err = io.Copy(sum, f)
		k.h.Write(sum.Sum(nil))
	}
	k.fail(err)
}

// Program adds a program's identity: path, size and time, which a package upgrade changes.
func (k *Key) Program(name string) {
	path, err := exec.LookPath(name)
	if err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			var info fs.FileInfo
			if info, err = os.Stat(path); err == nil {
				k.Strings(path, fmt.Sprint(info.Size()), info.ModTime().UTC().Format(time.RFC3339Nano))
			}
		}
	}
	k.fail(err)
}

func (k *Key) sum() string { return hex.EncodeToString(k.h.Sum(nil)) }

func (k *Key) fail(err error) {
	if k.err == nil {
		k.err = err
	}
}

// Do returns the directory with the files that make writes into the directory given to it.
// make is not called where an earlier call with an equal key has succeeded.
func (c *Cache) Do(key *Key, scratch string, make func(dir string) error) (string, error) {
	if key.err != nil {
		return "", fmt.Errorf("hash the inputs: %w", key.err)
	}
	name := key.sum()
	if c == nil {
		dir := filepath.Join(scratch, name[:16])
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", err
		}
		return dir, make(dir)
	}
	final := filepath.Join(c.dir, name)
	if isDir(final) {
		now := time.Now()
		os.Chtimes(final, now, now) // recently used; not worth a failure
		return final, nil
	}
	temp, err := os.MkdirTemp(c.dir, "new-*")
	if err != nil {
		return "", fmt.Errorf("write cache: %w", err)
	}
	defer os.RemoveAll(temp)
	if err := make(temp); err != nil {
		return "", err
	}
	// Of two processes that made the same, the first wins.
	if err := os.Rename(temp, final); err != nil && !isDir(final) {
		return "", fmt.Errorf("write cache: %w", err)
	}
	return final, nil
}

// Prune removes the least recently used entries beyond the cache's size, and what a killed
// process left behind. It looks at most once an hour.
func (c *Cache) Prune() error {
	if c == nil {
		return nil
	}
	stamp := filepath.Join(c.dir, "pruned")
	if info, err := os.Stat(stamp); err == nil && time.Since(info.ModTime()) < time.Hour {
		return nil
	}
	if err := os.WriteFile(stamp, nil, 0o644); err != nil {
		return fmt.Errorf("prune cache: %w", err)
	}
	return c.prune(maxCache, time.Now())
}

func (c *Cache) prune(limit int64, now time.Time) error {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return fmt.Errorf("prune cache: %w", err)
	}
	type entry struct {
		path string
		used time.Time
		size int64
	}
	var list []entry
	var total int64
	for _, e := range entries {
		info, err := e.Info()
		// An entry in use by another process was used a moment ago.
		if err != nil || !e.IsDir() || now.Sub(info.ModTime()) < time.Hour {
			continue
		}
		path := filepath.Join(c.dir, e.Name())
		size := treeSize(path)
		total += size
		list = append(list, entry{path, info.ModTime(), size})
	}
	sort.Slice(list, func(i, j int) bool { return list[i].used.Before(list[j].used) })
	var errs []error
	for _, e := range list {
		if total <= limit {
			break
		}
		errs = append(errs, os.RemoveAll(e.path))
		total -= e.size
	}
	return errors.Join(errs...)
}

func treeSize(dir string) int64 {
	var total int64
	filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				total += info.Size()
			}
		}
		return nil // what has gone meanwhile has no size
	})
	return total
}
