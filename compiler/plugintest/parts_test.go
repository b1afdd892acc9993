package plugintest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// partsInput has two functions for each of two parts. One static function is called from the other
// part, one is not; each part has a table of its own; and a third table is in both.
const partsInput = `
@near = private unnamed_addr constant [2 x i32] [i32 1, i32 2]
@far = private unnamed_addr constant [2 x i32] [i32 3, i32 4]
@both = internal constant [2 x i32] [i32 5, i32 6]
@pinned = constant [1 x ptr] [ptr @last], section ".mig.rodata.pinned"

declare i32 @unknown(i32)

define i32 @first(i32 %i) {
  %a = getelementptr [2 x i32], ptr @near, i32 0, i32 %i
  %v = load i32, ptr %a
  %r = call i32 @shared(i32 %v)
  ret i32 %r
}

define internal i32 @alone(i32 %i) {
  %a = getelementptr [2 x i32], ptr @both, i32 0, i32 %i
  %v = load i32, ptr %a
  %r = call i32 @unknown(i32 %v)
  ret i32 %r
}

define internal i32 @shared(i32 %i) {
  %a = getelementptr [2 x i32], ptr @both, i32 0, i32 %i
  %v = load i32, ptr %a
  ret i32 %v
}

define i32 @last(i32 %i) {
  %a = getelementptr [2 x i32], ptr @far, i32 0, i32 %i
  %v = load i32, ptr %a
  %r = call i32 @shared(i32 %v)
  %s = add i32 %r, 1
  ret i32 %s
}
`

// Parts define everything once, and keep to themselves what no other part uses.
func TestParts(t *testing.T) {
	dir := t.TempDir()
	stdout, stderr, failed := opt(t, []byte(partsInput), "-S", "-passes=migrated-parts,verify", "-migrated-parts=2", "-migrated-parts-dir="+dir)
	if failed {
		t.Fatalf("opt fails:\n%s", stderr)
	}
	second := must(t, nil, "llvm-dis-19", "-o", "-", filepath.Join(dir, "1.bc"))
	for n, part := range []struct {
		module string
		want   []string
	}{
		{string(stdout), []string{
			`^@near = private .*constant`, `^@both = hidden constant`, `^@pinned = constant`,
			`^define i32 @first`, `^define internal i32 @alone`,
			`^declare hidden i32 @shared`, `^declare i32 @last`, `^declare i32 @unknown`,
		}},
		{string(second), []string{
			`^@far = private .*constant`, `^@both = external hidden constant`,
			`^define hidden i32 @shared`, `^define i32 @last`,
		}},
	} {
		for _, want := range part.want {
			if !regexp.MustCompile("(?m)" + want).MatchString(part.module) {
				t.Errorf("part %d has no %s:\n%s", n, want, part.module)
			}
		}
		symbols := regexp.MustCompile(`(?m)^(@|define|declare)`).FindAllString(part.module, -1)
		if len(symbols) != len(part.want) {
			t.Errorf("part %d has %d symbols, want %d:\n%s", n, len(symbols), len(part.want), part.module)
		}
	}
}

// More parts than functions are possible: some are empty.
func TestMorePartsThanFunctions(t *testing.T) {
	const parts = 9
	dir := t.TempDir()
	stdout, stderr, failed := opt(t, []byte(partsInput), "-S", "-passes=migrated-parts,verify", fmt.Sprintf("-migrated-parts=%d", parts), "-migrated-parts-dir="+dir)
	if failed {
		t.Fatalf("opt fails:\n%s", stderr)
	}
	all := string(stdout)
	for n := 1; n < parts; n++ {
		all += string(must(t, nil, "llvm-dis-19", "-o", "-", filepath.Join(dir, fmt.Sprintf("%d.bc", n))))
	}
	for _, name := range []string{"first", "alone", "shared", "last"} {
		if n := len(regexp.MustCompile(`(?m)^define .*@`+name+`\(`).FindAllString(all, -1)); n != 1 {
			t.Errorf("%s is defined %d times", name, n)
		}
	}
}

// What optimisation makes of a function comes last and lies in the function's section: that stays whole.
func TestSectionsStayWhole(t *testing.T) {
	text := strings.Replace(partsInput, "@first(i32 %i) {", `@first(i32 %i) section ".mig.text.first" {`, 1) + `
define internal i32 @first.specialized.1() section ".mig.text.first" {
  %r = call i32 @last(i32 1)
  ret i32 %r
}
`
	dir := t.TempDir()
	stdout, stderr, failed := opt(t, []byte(text), "-S", "-passes=migrated-parts,verify", "-migrated-parts=2", "-migrated-parts-dir="+dir)
	if failed {
		t.Fatalf("opt fails:\n%s", stderr)
	}
	for _, name := range []string{"first", "first.specialized.1"} {
		if !regexp.MustCompile(`(?m)^define .*@` + regexp.QuoteMeta(name) + `\(`).Match(stdout) {
			t.Errorf("part 0 has no %s:\n%s", name, stdout)
		}
	}
}

func TestPartsThatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, stderr, failed := opt(t, []byte(partsInput), "-S", "-passes=migrated-parts", "-migrated-parts=2", "-migrated-parts-dir="+file)
	if !failed || !strings.Contains(string(stderr), "write part 1 to "+file) {
		t.Errorf("opt fails: %v\n%s", failed, stderr)
	}
}
