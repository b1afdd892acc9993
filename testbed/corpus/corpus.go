// Package corpus holds small C programs that together use what the language and the C
// library offer, for tests that move them. Each prints all that it finds out.
package corpus

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A Program is one C file and how to run it, as its header comments say:
//
//	// args: first "second word"
//	// stdin: text with \n escapes
//	// exit: 3
type Program struct {
	Name  string
	Path  string
	Args  []string // behind argv[0]
	Stdin []byte
	Exit  int // exit status
}

// Load reads the headers of all programs in a directory.
func Load(dir string) ([]Program, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.c"))
	if err != nil {
		return nil, err
	}
	var programs []Program
	for _, path := range paths {
		p, err := load(path)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		programs = append(programs, *p)
	}
	return programs, nil
}

func load(path string) (*Program, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p := &Program{Name: strings.TrimSuffix(filepath.Base(path), ".c"), Path: path, Exit: -1}
	for line := range strings.Lines(string(text)) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok || !strings.HasPrefix(key, "// ") {
			continue
		}
		switch key {
		case "// args":
			p.Args, err = words(value)
		case "// stdin":
			var text string
			text, err = strconv.Unquote(`"` + value + `"`)
			p.Stdin = []byte(text)
		case "// exit":
			p.Exit, err = strconv.Atoi(value)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	if p.Exit < 0 {
		return nil, fmt.Errorf("no exit status given")
	}
	return p, nil
}

// words splits at spaces outside double quotes.
func words(s string) ([]string, error) {
	var list []string
	for s = strings.TrimLeft(s, " "); s != ""; s = strings.TrimLeft(s, " ") {
		word, rest, _ := strings.Cut(s, " ")
		if s[0] == '"' {
			quoted, err := strconv.QuotedPrefix(s)
			if err != nil {
				return nil, err
			}
			if word, err = strconv.Unquote(quoted); err != nil {
				return nil, err
			}
			rest = s[len(quoted):]
		}
		list = append(list, word)
		s = rest
	}
	return list, nil
}
