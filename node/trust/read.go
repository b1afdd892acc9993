package trust

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// ErrInArguments is for who gives a token where everyone can read it.
var ErrInArguments = errors.New("arguments of a process can be read by every user of its machine: give the token on standard input (--token-file -) or in a file that is yours alone (--token-file FILE)")

// ReadToken reads a token from a file, or for "-" from standard input.
func ReadToken(file string, stdin io.Reader) (*Token, error) {
	r := stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("read token: %w", err)
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return nil, fmt.Errorf("read token: %w", err)
		}
		if info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
			return nil, fmt.Errorf("others can read %s (mode %#o), and a token is a secret: chmod 600 it", file, info.Mode().Perm())
		}
		r = f
	}
	b, err := io.ReadAll(io.LimitReader(r, maxTokenText+1))
	if err != nil {
		return nil, fmt.Errorf("read token: %w", err)
	}
	return ParseToken(string(b))
}
