package layout

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/layout/region"
)

// source is a small program as the passes leave one, with each kind of section; %s stands
// for what a test adds to one build.
const source = `
#define PIN(kind, name) __attribute__((used, section(".mig." kind "." #name)))
PIN("rodata", greeting) const char greeting[] = "hello";
#pragma clang section bss=".mig.bss.buffer"
char buffer[10000];
#pragma clang section bss=""
PIN("text", callback) int callback(int n) { return n * 3 + 1; }
PIN("data", table) struct { const char *text; int (*call)(int); char *at; } table = { greeting, callback, buffer + 5000 };
static __attribute__((noinline)) int own(int n) { buffer[n] = greeting[n %% 5]; return table.call(n); }
void _start(void) { own(3); for (;;) ; }
#ifndef COUNT
#define COUNT 2
#define RESUMES resume_own, resume_start
#define LARGEST 24
#endif
#define OWN __attribute__((used, section(".rodata.mig.private")))
void resume_own(void *record, int site) __asm__("own.resume");
void resume_start(void *record, int site) __asm__("_start.resume");
void resume_own(void *record, int site) { own(site); }
void resume_start(void *record, int site) { own(site + 1); }
OWN void (*const __mig_sites[])(void *, int) = {RESUMES};
OWN const long __mig_site_count = COUNT, __mig_record_max = LARGEST;
%s
`

// sites is the site table of source.
const sites = "0 own 24 ptr@0,i32@8,2xfloat@16\n1 _start 4 i32@0\n"

func parsed(t *testing.T, table string) []Site {
	t.Helper()
	list, err := ParseSites([]byte(table))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// toolchain programs come with scripts/setup.
func command(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// object compiles C for a level as toolchain does, and adds it to a build.
func object(t *testing.T, level, text string, native bool) (*Build, string, error) {
	t.Helper()
	i, l, ok := isa.ByLevel(level)
	if !ok {
		t.Fatalf("no level %s", level)
	}
	dir := t.TempDir()
	c, o := filepath.Join(dir, "program.c"), filepath.Join(dir, "program.o")
	if err := os.WriteFile(c, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	command(t, "clang-19", "--target="+i.Triple, "-march="+l.March, "-O2", "-c", "-ffreestanding", "-fno-pic",
		"-ffunction-sections", "-fasynchronous-unwind-tables", c, "-o", o)
	b := &Build{ISA: i, Level: level}
	f, err := os.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return b, o, b.AddObject(f, native)
}

// link plans and links programs, one for each level, and returns the files in the plan's
// order.
func link(t *testing.T, levels, texts []string, script func(*Plan) []byte, options ...string) (*Plan, []io.ReaderAt) {
	t.Helper()
	var builds []*Build
	objects := make(map[string]string)
	for n, level := range levels {
		b, o, err := object(t, level, texts[n], false)
		if err != nil {
			t.Fatal(err)
		}
		builds = append(builds, b)
		objects[level] = o
	}
	p, err := New(builds...)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ld := filepath.Join(dir, "layout.ld")
	if err := os.WriteFile(ld, script(p), 0o644); err != nil {
		t.Fatal(err)
	}
	var files []io.ReaderAt
	for _, b := range p.Builds {
		out := filepath.Join(dir, b.Level)
		args := append([]string{"-m", b.ISA.Emulation, "-static", "-T", ld, "--eh-frame-hdr",
			"--build-id=none", "-z", "max-page-size=4096", objects[b.Level], "-o", out}, options...)
		command(t, "ld.lld-19", args...)
		f, err := os.Open(out)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		files = append(files, f)
	}
	return p, files
}

var twoLevels = []string{"x86-64-v3", "armv8-a"}

func TestVerifyLinkedBuilds(t *testing.T) {
	text := fmt.Sprintf(source, "")
	p, files := link(t, twoLevels, []string{text, text}, (*Plan).LinkerScript)
	if err := p.Verify(parsed(t, sites), files...); err != nil {
		t.Fatal(err)
	}
	if p.StaticEnd != region.StaticBase+4*region.PageSize { // a page of data, 10,000 bytes of bss
		t.Errorf("static data ends at %#x", p.StaticEnd)
	}
	// The verifier must see a build in another's place.
	if err := p.Verify(parsed(t, sites), files[1], files[0]); err == nil {
		t.Error("exchanged builds pass")
	}
}

func TestVerifyRefuses(t *testing.T) {
	plain := fmt.Sprintf(source, "")
	both := func(text string) [2]string { return [2]string{text, text} }
	for _, tt := range []struct {
		name   string
		texts  [2]string
		script func(*Plan) []byte
		option string // of lld
		want   string
	}{
		{
			name: "other content",
			texts: [2]string{
				fmt.Sprintf(source, `PIN("data", n) long n = 1;`),
				fmt.Sprintf(source, `PIN("data", n) long n = 2;`),
			},
			want: ".mig.data differs from build armv8-a at byte 24, in n+0",
		},
		{
			name: "other constant",
			texts: [2]string{
				fmt.Sprintf(source, `PIN("rodata", n) const long n = 1;`),
				fmt.Sprintf(source, `PIN("rodata", n) const long n = 2;`),
			},
			want: ".mig.rodata differs",
		},
		{
			name: "other address",
			script: func(p *Plan) []byte {
				from := fmt.Sprintf(". = %#x; KEEP(*(\".mig.text.callback\"))", p.TextStart)
				to := fmt.Sprintf(". = %#x; KEEP(*(\".mig.text.callback\"))", p.TextStart+16)
				s := strings.Replace(string(p.LinkerScript()), from, to, 1)
				return []byte(strings.Replace(s, fmt.Sprintf("  . = %#x;\n  .text", p.TextEnd), "  .text", 1))
			},
			want: ".mig.text at",
		},
		{
			name:  "other number of sites",
			texts: both("#define COUNT 3\n#define RESUMES resume_own, resume_start\n#define LARGEST 24\n" + plain),
			want:  "__mig_site_count is 3, by the site table 2",
		},
		{
			name:  "no room for a record",
			texts: both("#define COUNT 2\n#define RESUMES resume_own, resume_start\n#define LARGEST 16\n" + plain),
			want:  "__mig_record_max is 16, by the site table 24",
		},
		{
			name:  "another function's site",
			texts: [2]string{plain, "#define COUNT 2\n#define RESUMES resume_start, resume_own\n#define LARGEST 24\n" + plain},
			want:  "build armv8-a: site 0 resumes at",
		},
		{
			name:  "a site too few",
			texts: both("#define COUNT 2\n#define RESUMES resume_own\n#define LARGEST 24\n" + plain),
			want:  "__mig_sites has 8 bytes for 2 sites",
		},
		{
			name: "other thread-locals",
			texts: [2]string{
				fmt.Sprintf(source, `OWN const long __mig_tls_image[] = {1, 2}; OWN const long __mig_tls_size = 16;`),
				fmt.Sprintf(source, `OWN const long __mig_tls_image[] = {1, 3}; OWN const long __mig_tls_size = 16;`),
			},
			want: "__mig_tls_image differs from build armv8-a at byte 8",
		},
		{
			name: "other block of thread-locals",
			texts: [2]string{
				fmt.Sprintf(source, `OWN const long __mig_tls_size = 16;`),
				fmt.Sprintf(source, `OWN const long __mig_tls_size = 24;`),
			},
			want: "__mig_tls_size differs",
		},
		{
			name:  "thread-locals of the machine",
			texts: both(plain),
			script: func(p *Plan) []byte {
				s := string(p.LinkerScript())
				return []byte(strings.Replace(s, "  .eh_frame ", "  .tdata : { LONG(1) }\n  .eh_frame ", 1))
			},
			want: "unexpected section .tdata",
		},
		{
			name: "defined in one build alone",
			texts: [2]string{
				fmt.Sprintf(source, `extern void maybe(void) __attribute__((weak)); int is(void) { return maybe != 0; }`),
				fmt.Sprintf(source, `void maybe(void) {} int is(void) { return maybe != 0; }`),
			},
			want: "maybe is not defined, but is in build armv8-a",
		},
		{
			name:   "undefined",
			texts:  both(fmt.Sprintf(source, `extern int absent(void); int is(void) { return absent(); }`)),
			option: "--unresolved-symbols=ignore-all",
			want:   "undefined symbol absent",
		},
		{
			name: "no entry",
			script: func(p *Plan) []byte {
				return []byte(strings.Replace(string(p.LinkerScript()), "ENTRY(_start)", "ENTRY(own)", 1))
			},
			want: "is not _start",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.texts[0] == "" {
				tt.texts = [2]string{plain, plain}
			}
			if tt.script == nil {
				tt.script = (*Plan).LinkerScript
			}
			p, files := link(t, twoLevels, tt.texts[:], tt.script, strings.Fields(tt.option)...)
			err := p.Verify(parsed(t, sites), files...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// A single build has nobody to disagree with: an address of its own in portable data must be
// found without.
func TestRefuseObjects(t *testing.T) {
	for _, tt := range []struct {
		name, text, want string
		native           bool
	}{
		{"private function", `PIN("data", p) int (*p)(int) = own;`, "holds the address of", false},
		{"own variable", `int counter = 1;`, "portable code has a variable in section .data", false},
		{"thread-local", `__attribute__((used)) __thread int t = 1;`, "holds native thread-locals", true},
		{"constructor", `extern void f(void); __attribute__((constructor)) void c(void) { f(); }`, "holds native constructors", true},
		{"unknown kind", `PIN("stuff", x) int x = 1;`, "is of no known pinned kind", false},
		{"writable constant", `PIN("rodata", x) int x = 1;`, "do not fit its name", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, level := range twoLevels {
				_, _, err := object(t, level, fmt.Sprintf(source, tt.text), tt.native)
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%s: error %v, want one with %q", level, err, tt.want)
				}
			}
		})
	}
}

// The address of another object's private symbol shows when the build is linked.
func TestVerifyRefusesExternalPrivateAddress(t *testing.T) {
	text := fmt.Sprintf(source, `extern void outside(void); PIN("data", p) void (*p)(void) = outside;`)
	b, program, err := object(t, "armv8-a", text, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ section, want string }{
		{`section(".mig.text.outside")`, ""},
		{`noinline`, "holds the address of outside, which differs between builds"},
	} {
		n, native, err := object(t, "armv8-a", "__attribute__(("+tt.section+")) void outside(void) {}", true)
		if err != nil {
			t.Fatal(err)
		}
		all := &Build{ISA: b.ISA, Level: b.Level, External: b.External}
		all.Sections = append(append(all.Sections, b.Sections...), n.Sections...)
		p, err := New(all)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		ld, out := filepath.Join(dir, "layout.ld"), filepath.Join(dir, "out")
		if err := os.WriteFile(ld, p.LinkerScript(), 0o644); err != nil {
			t.Fatal(err)
		}
		command(t, "ld.lld-19", "-m", b.ISA.Emulation, "-static", "-T", ld, "--eh-frame-hdr", program, native, "-o", out)
		f, err := os.Open(out)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		err = p.Verify(parsed(t, sites), f)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: error %v, want one with %q", tt.section, err, tt.want)
		}
	}
}
