package csmith

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"testing"
)

// What is needed stays, and nothing else, also where one line needs another.
func TestShorten(t *testing.T) {
	var text bytes.Buffer
	for i := range 300 {
		fmt.Fprintln(&text, i)
	}
	tries := 0
	got := shorten(text.Bytes(), func(text []byte) bool {
		tries++
		has := func(n int) bool { return bytes.Contains(append([]byte("\n"), text...), fmt.Appendf(nil, "\n%d\n", n)) }
		return has(17) && has(18) && has(250) && (!has(100) || has(101))
	})
	if string(got) != "17\n18\n250\n" {
		t.Errorf("shortened to %q", got)
	}
	if tries > 300 {
		t.Errorf("it took %d tries for 300 lines", tries)
	}
}

// Programs that are wrong by themselves are no smaller cases of a failure.
func TestIsDefined(t *testing.T) {
	if _, err := exec.LookPath("csmith"); err != nil {
		t.Fatalf("no csmith: run scripts/setup: %v", err)
	}
	tests := map[string]bool{
		`printf("%d\n", argc);`:                                      true,
		`int x = 2147483647; x += argc; printf("%d\n", x);`:          false,
		`int x; printf("%d\n", x);`:                                  false,
		`int a[3] = {0}; printf("%d\n", a[argc + 1]);`:               false,
		`int x = 5; int *p = argc > 5 ? &x : 0; printf("%d\n", *p);`: false,
	}
	for body, want := range tests {
		text := "#include <stdio.h>\nint main(int argc, char **argv)\n{\n" + body + "\nreturn argv[0] == 0;\n}\n"
		p, err := Of(context.Background(), t.TempDir(), 1, []byte(text))
		got := err == nil && p.isDefined(context.Background())
		if got != want {
			t.Errorf("%s is defined: %t, want %t (%v)", body, got, want, err)
		}
	}
}
