package main

import "strings"

// An effect says what the driver does with an option.
type effect int

const (
	toClang     effect = iota // an option of the compiler: clang decides about it
	ignored                   // accepted, without meaning for an image
	refused                   // the reason says why
	refusedLink               // the same where something is linked; else without meaning, as to clang
	handled                   // the driver's own: parse
)

// An option is one that needs more than being handed to clang, or takes a separate value.
type option struct {
	name   string
	joined bool // name is a prefix: "-Wl,"
	value  bool // the next word belongs to it, or, with joined, where nothing follows the name
	effect effect
	reason string
}

const (
	oneCPU    = "code for one kind of CPU cannot migrate; --builds says what each build may use"
	noRuntime = "images have no runtime for it; build the program with clang for this machine to have it watched"
)

// options is searched in order; what is not here goes to clang as it is.
var options = []option{
	// The driver's own.
	{name: "-c", effect: handled}, {name: "-S", effect: handled}, {name: "-E", effect: handled},
	{name: "-M", effect: handled}, {name: "-MM", effect: handled},
	{name: "-fsyntax-only", effect: handled},
	{name: "-MD", effect: handled}, {name: "-MMD", effect: handled},
	{name: "-MF", value: true, joined: true, effect: handled},
	{name: "-MT", value: true, joined: true, effect: handled},
	{name: "-MQ", value: true, joined: true, effect: handled},
	{name: "-x", value: true, joined: true, effect: handled},
	{name: "-v", effect: handled}, {name: "-###", effect: handled},
	{name: "--help", effect: handled}, {name: "--version", effect: handled},
	{name: "-dumpmachine", effect: handled}, {name: "-dumpversion", effect: handled},
	{name: "-print-", joined: true, effect: handled},
	{name: "--print-", joined: true, effect: handled},
	{name: "--builds=", joined: true, effect: handled},
	{name: "--fp=", joined: true, effect: handled},
	{name: "--emit=", joined: true, effect: handled},
	{name: "--emit-dir=", joined: true, effect: handled},
	{name: "--poll-gap", effect: handled},
	{name: "--system", effect: handled},
	// Linking.
	{name: "-Wl,", joined: true, effect: handled},
	{name: "-Xlinker", value: true, effect: handled},
	{name: "-z", value: true, effect: ignored},
	{name: "-u", value: true, effect: handled},
	{name: "-static", effect: ignored}, {name: "-static-pie", effect: ignored},
	{name: "-static-libgcc", effect: ignored},
	{name: "-pie", effect: ignored}, {name: "-no-pie", effect: ignored}, {name: "-nopie", effect: ignored},
	{name: "-rdynamic", effect: ignored}, {name: "-s", effect: ignored},
	{name: "-fuse-ld=", joined: true, effect: ignored},
	{name: "-rtlib=", joined: true, effect: ignored}, {name: "--rtlib=", joined: true, effect: ignored},
	{name: "-unwindlib=", joined: true, effect: ignored}, {name: "--unwindlib=", joined: true, effect: ignored},
	{name: "-shared", effect: refusedLink, reason: "an image has no shared libraries: make a static one with ar, and link that (configure --disable-shared)"},
	{name: "-dynamiclib", effect: refusedLink, reason: "an image has no shared libraries: make a static one with ar"},
	{name: "-r", effect: refusedLink, reason: "objects cannot be joined before the program is linked: make an archive with ar"},
	{name: "-nostdlib", effect: refusedLink, reason: "an image is always linked with its libc and kernel"},
	{name: "-nostartfiles", effect: refusedLink, reason: "an image is always linked with its libc and kernel"},
	{name: "-nodefaultlibs", effect: refusedLink, reason: "an image is always linked with its libc and kernel"},
	{name: "-nolibc", effect: refusedLink, reason: "an image is always linked with its libc and kernel"},
	{name: "-T", value: true, joined: true, effect: refusedLink, reason: "the layout of an image is planned, not scripted"},
	{name: "-e", value: true, effect: refusedLink, reason: "an image is entered by its kernel"},
	// The machine. A program must not ask which it is for: it is for several.
	{name: "-march=", joined: true, effect: ignored}, {name: "-mtune=", joined: true, effect: ignored},
	{name: "-mcpu=", joined: true, effect: ignored}, {name: "-m64", effect: ignored},
	{name: "-m32", effect: refused, reason: "images have 64-bit pointers"},
	{name: "-mx32", effect: refused, reason: "images have 64-bit pointers"},
	{name: "-target", value: true, effect: refused, reason: "what an image is for is chosen with --builds"},
	{name: "--target=", joined: true, effect: refused, reason: "what an image is for is chosen with --builds"},
	{name: "-mabi=", joined: true, effect: refused, reason: "an image has one calling convention"},
	{name: "-mcmodel=", joined: true, effect: ignored}, {name: "-mfpmath=", joined: true, effect: ignored},
	{name: "-mno-", joined: true, effect: ignored}, {name: "-mbranch-protection=", joined: true, effect: ignored},
	{name: "-mgeneral-regs-only", effect: refused, reason: oneCPU},
	{name: "-msse", joined: true, effect: refused, reason: oneCPU}, {name: "-mssse3", effect: refused, reason: oneCPU},
	{name: "-mavx", joined: true, effect: refused, reason: oneCPU}, {name: "-mfma", joined: true, effect: refused, reason: oneCPU},
	{name: "-maes", effect: refused, reason: oneCPU}, {name: "-msha", effect: refused, reason: oneCPU},
	{name: "-mpclmul", effect: refused, reason: oneCPU}, {name: "-mpopcnt", effect: refused, reason: oneCPU},
	{name: "-mbmi", joined: true, effect: refused, reason: oneCPU}, {name: "-mlzcnt", effect: refused, reason: oneCPU},
	{name: "-mf16c", effect: refused, reason: oneCPU}, {name: "-mmmx", effect: refused, reason: oneCPU},
	{name: "-mfpu=", joined: true, effect: refused, reason: oneCPU},
	// The whole program is optimised at once and laid out as planned, whatever these say.
	{name: "-flto", effect: ignored}, {name: "-flto=", joined: true, effect: ignored},
	{name: "-fno-lto", effect: ignored}, {name: "-ffat-lto-objects", effect: ignored},
	{name: "-fno-fat-lto-objects", effect: ignored},
	{name: "-fcf-protection", effect: ignored}, {name: "-fcf-protection=", joined: true, effect: ignored},
	{name: "-fstack-clash-protection", effect: ignored}, {name: "-fzero-call-used-regs=", joined: true, effect: ignored},
	{name: "-gsplit-dwarf", effect: ignored}, {name: "-gsplit-dwarf=", joined: true, effect: ignored},
	{name: "-gz", effect: ignored}, {name: "-gz=", joined: true, effect: ignored},
	{name: "-save-temps", effect: ignored}, {name: "-save-temps=", joined: true, effect: ignored},
	{name: "-pipe", effect: ignored}, {name: "-pthread", effect: toClang}, {name: "-pthreads", effect: ignored},
	// What would watch the program, and would be silently left out.
	{name: "-pg", effect: refused, reason: noRuntime}, {name: "-p", effect: refused, reason: noRuntime},
	{name: "--coverage", effect: refused, reason: noRuntime}, {name: "-coverage", effect: refused, reason: noRuntime},
	{name: "-ftest-coverage", effect: refused, reason: noRuntime},
	{name: "-fprofile-arcs", effect: refused, reason: noRuntime},
	{name: "-fprofile-generate", effect: refused, reason: noRuntime},
	{name: "-fprofile-generate=", joined: true, effect: refused, reason: noRuntime},
	{name: "-fprofile-instr-generate", effect: refused, reason: noRuntime},
	{name: "-fprofile-instr-generate=", joined: true, effect: refused, reason: noRuntime},
	{name: "-finstrument-functions", joined: true, effect: refused, reason: noRuntime},
	{name: "-fopenmp", joined: true, effect: refused, reason: "images have no OpenMP runtime; there are POSIX and C11 threads"},
	{name: "-fsplit-stack", effect: refused, reason: "an image's stacks grow by themselves"},
	{name: "-fsanitize=", joined: true, effect: handled},
	{name: "-fsanitize-trap", joined: true, effect: handled},
	{name: "-fsanitize-undefined-trap-on-error", effect: handled},
	// Clang's, with a value that may be the next word.
	{name: "-o", value: true, joined: true, effect: handled},
	{name: "-L", value: true, joined: true, effect: handled},
	{name: "-l", value: true, joined: true, effect: handled},
	{name: "-I", value: true, joined: true}, {name: "-D", value: true, joined: true},
	{name: "-U", value: true, joined: true},
	{name: "-include", value: true}, {name: "-imacros", value: true},
	{name: "-isystem", value: true, joined: true}, {name: "-iquote", value: true, joined: true},
	{name: "-idirafter", value: true, joined: true}, {name: "-iprefix", value: true},
	{name: "-iwithprefix", value: true}, {name: "-iwithprefixbefore", value: true},
	{name: "-isysroot", value: true}, {name: "--sysroot", value: true},
	{name: "-MJ", value: true}, {name: "-Xclang", value: true}, {name: "-Xpreprocessor", value: true},
	{name: "-Xassembler", value: true, effect: refused, reason: "nothing is assembled"},
	{name: "-Wa,", joined: true, effect: refused, reason: "nothing is assembled"},
	{name: "--param", value: true}, {name: "-mllvm", value: true},
}

// find returns the option that a word is, the value joined to it, and whether it is known.
// Exact names win over prefixes, longer prefixes over shorter.
func find(word string) (option, string, bool) {
	var best option
	found := false
	for _, o := range options {
		if o.name == word {
			return o, "", true
		}
		if o.joined && strings.HasPrefix(word, o.name) && (!found || len(o.name) > len(best.name)) {
			best, found = o, true
		}
	}
	if !found {
		return option{}, "", false
	}
	return best, word[len(best.name):], true
}

// linkerOptions are those of ld behind -Wl, or -Xlinker; the same rules. toClang stands for
// handing one to the linker in its place among the inputs.
var linkerOptions = []option{
	{name: "--whole-archive"}, {name: "--no-whole-archive"},
	{name: "--start-group"}, {name: "--end-group"}, {name: "-("}, {name: "-)"},
	{name: "--start-lib"}, {name: "--end-lib"},
	{name: "--allow-multiple-definition"},
	{name: "--undefined=", joined: true}, {name: "-u", value: true},
	{name: "--version", effect: handled}, {name: "-v", effect: handled},
	{name: "-shared", effect: refused, reason: "an image has no shared libraries"},
	{name: "-r", effect: refused, reason: "objects cannot be joined before the program is linked"},
	{name: "-rpath", value: true, effect: ignored}, {name: "--rpath", value: true, effect: ignored},
	{name: "-rpath=", joined: true, effect: ignored}, {name: "--rpath=", joined: true, effect: ignored},
	{name: "-rpath-link", value: true, effect: ignored}, {name: "--rpath-link", value: true, effect: ignored},
	{name: "-rpath-link=", joined: true, effect: ignored}, {name: "-R", value: true, effect: ignored},
	{name: "-z", value: true, effect: ignored}, {name: "-znow", effect: ignored}, {name: "-zrelro", effect: ignored},
	{name: "-Map", value: true, effect: ignored}, {name: "-Map=", joined: true, effect: ignored},
	{name: "-E", effect: ignored}, {name: "--export-dynamic", effect: ignored}, {name: "-export-dynamic", effect: ignored},
	{name: "--as-needed", effect: ignored}, {name: "--no-as-needed", effect: ignored},
	{name: "--gc-sections", effect: ignored}, {name: "--no-gc-sections", effect: ignored},
	{name: "-O", joined: true, effect: ignored}, {name: "--sort-", joined: true, effect: ignored},
	{name: "-s", effect: ignored}, {name: "-S", effect: ignored}, {name: "-x", effect: ignored}, {name: "-X", effect: ignored},
	{name: "--strip-all", effect: ignored}, {name: "--strip-debug", effect: ignored},
	{name: "--build-id", effect: ignored}, {name: "--build-id=", joined: true, effect: ignored},
	{name: "--hash-style=", joined: true, effect: ignored},
	{name: "--enable-new-dtags", effect: ignored}, {name: "--disable-new-dtags", effect: ignored},
	{name: "-Bstatic", effect: ignored}, {name: "-Bdynamic", effect: ignored}, {name: "-Bsymbolic", joined: true, effect: ignored},
	{name: "-static", effect: ignored}, {name: "-pie", effect: ignored}, {name: "-no-pie", effect: ignored},
	{name: "--no-undefined", effect: ignored}, {name: "--warn-", joined: true, effect: ignored},
	{name: "--no-warn-", joined: true, effect: ignored},
	{name: "--fatal-warnings", effect: ignored}, {name: "--no-fatal-warnings", effect: ignored},
	{name: "--icf=", joined: true, effect: ignored}, {name: "--relax", effect: ignored}, {name: "--no-relax", effect: ignored},
	{name: "--exclude-libs", value: true, effect: ignored}, {name: "--exclude-libs=", joined: true, effect: ignored},
	{name: "--color-diagnostics", effect: ignored}, {name: "--threads", effect: ignored},
	{name: "--no-rosegment", effect: ignored}, {name: "--eh-frame-hdr", effect: ignored},
}
