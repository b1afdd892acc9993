package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// maxResponseDepth bounds response files that name each other.
const maxResponseDepth = 20

// expandResponseFiles replaces each @file by the words in the file. What is no file stays as
// it is, as in gcc.
func expandResponseFiles(args []string) ([]string, error) {
	return expand(args, 0)
}

func expand(args []string, depth int) ([]string, error) {
	var out []string
	for _, a := range args {
		name, ok := strings.CutPrefix(a, "@")
		if !ok || name == "" {
			out = append(out, a)
			continue
		}
		text, err := os.ReadFile(name)
		if errors.Is(err, os.ErrNotExist) {
			out = append(out, a)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read response file: %w", err)
		}
		if depth == maxResponseDepth {
			return nil, fmt.Errorf("response file %s names itself", name)
		}
		words, err := expand(splitWords(string(text)), depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, words...)
	}
	return out, nil
}

// splitWords splits at white space; quotes of both kinds group, and a backslash takes the
// next character as it is: GCC manual, "Overall Options", @file.
func splitWords(text string) []string {
	var words []string
	var word strings.Builder
	var quote rune
	inWord, escaped := false, false
	for _, c := range text {
		switch {
		case escaped:
			word.WriteRune(c)
			escaped = false
		case c == '\\':
			escaped, inWord = true, true
		case quote != 0:
			if c == quote {
				quote = 0
			} else {
				word.WriteRune(c)
			}
		case c == '\'' || c == '"':
			quote, inWord = c, true
		case strings.ContainsRune(" \t\n\r\f\v", c):
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}
		default:
			word.WriteRune(c)
			inWord = true
		}
	}
	if inWord {
		words = append(words, word.String())
	}
	return words
}
