package toolchain

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// remember is Cache.Do for a step that has warnings to give: they are given again.
func (t *Toolchain) remember(key *Key, scratch string, make func(t *Toolchain, dir string) error) (string, error) {
	if t.Cache == nil {
		return t.Cache.Do(key, scratch, func(dir string) error { return make(t, dir) })
	}
	made := false
	dir, err := t.Cache.Do(key, scratch, func(dir string) error {
		made = true
		var said bytes.Buffer
		aloud := *t
		if !t.Verbose { // commands are not to be told of again
			aloud.Stderr = io.MultiWriter(t.Stderr, &said)
		}
		if err := make(&aloud, dir); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, "said"), said.Bytes(), 0o644)
	})
	if err != nil || made {
		return dir, err
	}
	said, err := os.ReadFile(filepath.Join(dir, "said"))
	if err == nil {
		_, err = t.Stderr.Write(said)
	}
	return dir, err
}

// errChanged says that a source was written to while it was compiled.
var errChanged = errors.New("a source changed while it was compiled")

// compileOnce compiles what was not compiled before, and returns the object.
func (t *Toolchain) compileOnce(ctx context.Context, c *Compilation, key *Key, scratch string) (string, error) {
	before := key.sum()
	dir, err := t.remember(key, scratch, func(t *Toolchain, dir string) error {
		if err := t.compile(ctx, c, filepath.Join(dir, "object")); err != nil {
			return err
		}
		if after := t.compileKey(ctx, c); after == nil || after.sum() != before {
			return errChanged
		}
		return nil
	})
	if errors.Is(err, errChanged) {
		dir, err = scratch, t.compile(ctx, c, filepath.Join(scratch, "object"))
	}
	return filepath.Join(dir, "object"), err
}

// compileKey returns the key of all that the object depends on; nil if that cannot be told, or nothing
// is remembered. It takes the preprocessor, which writes dependency files on its way.
func (t *Toolchain) compileKey(ctx context.Context, c *Compilation) *Key {
	if t.Cache == nil || t.Verbose || c.Source == "-" || slices.ContainsFunc(c.Args, readsMore) {
		return nil
	}
	cwd, err := os.Getwd() // is in the debug information
	if err != nil {
		return nil
	}
	args := append(t.frontEndArgs(), c.Args...)
	args = append(args, c.codeArgs()...)
	key := NewKey("compile 1")
	key.Program(clang)
	key.Program(opt)
	key.File(t.Plugin)
	key.Strings(cwd, c.Source, strconv.FormatBool(c.System), strconv.FormatBool(c.Text))
	key.Strings(args...)
	quiet := *t
	quiet.Stderr = io.Discard // the compiler will say it again
	var text bytes.Buffer
	if quiet.runTo(ctx, &text, clang, append(args, "-Qunused-arguments", "-E", c.Source)...) != nil {
		return nil
	}
	key.Bytes(text.Bytes())
	// Where in a line something stands is not in that text, but in the debug information.
	for _, path := range markedFiles(&text) {
		if isFile(path) { // #line names what it likes
			key.File(path)
		}
	}
	if key.err != nil {
		return nil
	}
	return key
}

// readsMore reports whether an option of clang's may have it read or write what the preprocessor's
// output does not show.
func readsMore(option string) bool {
	for _, prefix := range []string{
		"-P", "-C", "-d", "-MJ", "-M", "-fmodule", "-fplugin", "-fpass-plugin", "-fprofile", "-fcs-profile",
		"-fsanitize", "-include-pch", "-Xclang", "-Xpreprocessor", "-Wp,", "-mllvm", "-ftime", "-fsave", "-fdiagnostics-", "-ivfs",
	} {
		if strings.HasPrefix(option, prefix) && !slices.Contains([]string{"-MD", "-MMD", "-MF", "-MQ", "-MT", "-MP"}, option) {
			return true
		}
	}
	return false
}

// markedFiles returns the files that line markers of preprocessed text name, each once: GCC manual,
// "Preprocessor Output".
func markedFiles(text io.Reader) []string {
	var files []string
	seen := make(map[string]bool)
	lines := bufio.NewReader(text)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return files
		}
		rest, ok := strings.CutPrefix(line, "# ")
		if !ok {
			continue
		}
		_, rest, _ = strings.Cut(rest, " ")
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil || seen[quoted] {
			continue
		}
		seen[quoted] = true
		if path, err := strconv.Unquote(quoted); err == nil && !strings.HasPrefix(path, "<") {
			files = append(files, path)
		}
	}
}
