package plugintest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/migrated/migrated/isa"
)

// followed are the steps that docs/followed.md shows, each on the output of the one before.
var followed = []struct {
	title string
	text  string
	opt   []string // of opt; none: what clang leaves
}{
	{
		title: "What clang leaves",
		text: `Neutral IR: the C function without any optimisation. "migrated-check" finds nothing to refuse
in it.`,
	},
	{
		title: "Optimised for no machine in particular",
		text: `"migrated-prepare,default<O2>": variables are values now, but for "x", whose address "get" is
given. No vectors, no unrolling: that is for each build.`,
		opt: []string{"-passes=migrated-check,migrated-prepare,default<O2>", "-vectorize-loops=false",
			"-vectorize-slp=false", "-disable-loop-unrolling", "-migrated-keep=total,get,__mig_poll_slow"},
	},
	{
		title: "migrated-poll",
		text: `The loop contains a call, so it polls each time round: one load of the control page's first
word, at an address that is the same in all builds, and a branch that is hardly ever taken.`,
		opt: []string{"-passes=migrated-poll"},
	},
	{
		title: "migrated-locals",
		text: `"v" is an argument, so it does not point to "x", whose address is not known before the function
has begun. Where "x" is about to lie the optimiser cannot see that any more, so it is written down:
one load is of "x", the other is not.`,
		opt: []string{"-passes=migrated-locals"},
	},
	{
		title: "migrated-shadow",
		text: `"total" is *reached*: it can be on the stack when a thread leaves, in "get" or in
"__mig_poll_slow". So "x" must keep its address over a move, and lies on the shadow stack, in
portable memory.`,
		opt: []string{"-passes=migrated-shadow"},
	},
	{
		title: "migrated-frames",
		text: `The two calls are *sites*, and have become invokes. Their save pads store what lives behind the
call into the frame's record, which the runtime gives room for, and "__mig_saved" unwinds on. "get"
returns nothing, or its result would be taken from "__mig_result" where a frame comes back.

The function is its own way back, as most are: "total.resume" tells it a record and a site, and it
takes its values from there and goes on behind that site. What is constant, or an offset to
something else, is not in the record but computed again.`,
		opt: []string{"-passes=migrated-frames"},
	},
}

// The text of docs/followed.md is made by the passes, and by -update.
func TestFollowed(t *testing.T) {
	const name = "followed.c"
	source, err := os.ReadFile(filepath.Join(testdata, name))
	if err != nil {
		t.Fatal(err)
	}
	var doc bytes.Buffer
	doc.WriteString(`# A function on its way through the passes

What each step makes of one small function; [compiler.md](compiler.md) says what the steps are. All
of this is real output, cut down to that function, without attributes and debug information:

    go test ./compiler/plugintest -run TestFollowed -update

writes it anew, from ` + "`compiler/testdata/followed.c`:\n\n```c\n" + string(source) + "```\n")
	module := must(t, nil, "clang-19", "--target=riscv64-unknown-linux-musl", "-O2", "-Xclang",
		"-disable-llvm-passes", "-fno-strict-aliasing", "-fno-discard-value-names", "-fno-pic",
		"-ftls-model=local-exec", "-emit-llvm", "-S", filepath.Join(testdata, name), "-o", "-")
	sites := filepath.Join(t.TempDir(), "sites")
	for _, step := range followed {
		if step.opt != nil {
			stdout, stderr, failed := opt(t, module, append(step.opt, "-S", "-migrated-sites="+sites)...)
			if failed {
				t.Fatalf("%s:\n%s", step.title, stderr)
			}
			module = stdout
		}
		fmt.Fprintf(&doc, "\n## %s\n%s\n\n```llvm\n%s```\n", step.title, strings.ReplaceAll(step.text, `"`, "`"), functions(module, "total"))
	}
	table, err := os.ReadFile(sites)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&doc, "\n## The site table\nThe same for all builds, carried by the image, and what the verifier compares them with: a site's\n"+
		"number, its function, the size of its record in bytes, and type and offset of each value.\n\n```\n%s```\n", table)
	for _, level := range []string{"x86-64-v3", "armv8-a"} {
		fmt.Fprintf(&doc, "\n## The loop on %s\nThe way that is taken while nothing moves; save pads and the way back lie elsewhere.\n\n```\n%s```\n",
			level, loop(t, module, level))
	}
	compare(t, doc.Bytes(), "../../docs/followed.md")
}

var attributes = regexp.MustCompile(` (#\d+|dso_local|noundef|local_unnamed_addr|nocapture|readonly|nonnull|!(prof|llvm\.loop|tbaa) !\d+)|,? !(prof|llvm\.loop|tbaa) !\d+`)

// functions returns a function's IR and that of its resume function.
func functions(module []byte, name string) string {
	var out strings.Builder
	inside := false
	for line := range strings.Lines(string(module)) {
		if strings.HasPrefix(line, "define ") {
			inside = strings.Contains(line, "@"+name+"(") || strings.Contains(line, "@"+name+".resume(")
		}
		if inside {
			out.WriteString(strings.TrimRight(attributes.ReplaceAllString(line, ""), " "))
		}
		if line == "}\n" {
			inside = false
		}
	}
	return out.String()
}

// loop returns the assembly of the loop in which total calls get.
func loop(t *testing.T, module []byte, level string) string {
	i, l, _ := isa.ByLevel(level)
	targeted, stderr, failed := opt(t, module, "-passes=migrated-target",
		"-migrated-triple="+i.Triple, "-migrated-datalayout="+i.DataLayout,
		fmt.Sprintf("-migrated-poll=__mig_poll_%d", l.PollBits))
	if failed {
		t.Fatalf("migrated-target:\n%s", stderr)
	}
	args := append([]string{"--target=" + i.Triple, "-march=" + l.March, "-O3", "-fno-pic", "-mcmodel=small",
		"-S", "-x", "ir", "-", "-o", "-"}, i.CodeGen...)
	cmd := exec.Command("clang-19", args...)
	cmd.Stdin = bytes.NewReader(targeted)
	text, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(text), "\ntotal:")
	body, _, _ = strings.Cut(body, ".Lfunc_end")
	lines := strings.Split(body, "\n")
	call := -1
	for n, line := range lines {
		if strings.HasSuffix(line, "\tget") {
			call = n
			break
		}
	}
	if call < 0 {
		t.Fatalf("no call of get:\n%s", text)
	}
	label := func(s string) bool { return strings.HasPrefix(s, ".LBB") }
	from, to := call, call
	for from > 0 && !label(lines[from]) {
		from--
	}
	for to < len(lines)-1 && !strings.Contains(lines[to], "33554432") { // the poll
		to++
	}
	for to < len(lines)-1 && !label(lines[to]) {
		to++
	}
	var out strings.Builder
	for _, line := range lines[from:to] {
		if !strings.HasPrefix(line, ".Ltmp") && !strings.HasPrefix(line, "\t.") {
			out.WriteString(line + "\n")
		}
	}
	return out.String()
}
