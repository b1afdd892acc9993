package toolchain

import (
	"fmt"
	"io"
	"strings"
)

// hints say what to do about errors of clang that come before migrated-check sees the code, and
// speak of a target that nobody has chosen.
var hints = []struct{ error, advice string }{
	{" constraint '", inlineAssembly}, // "invalid output constraint '=a' in asm"
	{"unknown register name '", inlineAssembly},
	{"value size does not match register size specified by the constraint", inlineAssembly},
	{"__builtin_setjmp is not supported", "use setjmp and longjmp"},
	{"__builtin_longjmp is not supported", "use setjmp and longjmp"},
	{"function multiversioning is not supported", eachLevel},
	{"builtin is not supported on this target", eachLevel},
	{"__float128 is not supported", "long double is as wide here"},
}

const (
	inlineAssembly = "inline assembly cannot migrate; use C or a compiler builtin, or the program's own switch for portable code"
	eachLevel      = "nothing asks for a CPU: an image has a build for each level (--builds), and all code is compiled for each"
)

// hint adds advice to what clang has said, each once.
func hint(w io.Writer, said string) {
	given := make(map[string]bool)
	for line := range strings.Lines(said) {
		where, text, ok := strings.Cut(strings.TrimSpace(line), ": error: ")
		if !ok {
			continue
		}
		for _, h := range hints {
			if strings.Contains(text, h.error) && !given[h.advice] {
				given[h.advice] = true
				fmt.Fprintf(w, "%s: note: %s\n", where, h.advice)
			}
		}
	}
}
