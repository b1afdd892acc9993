package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/migrated/migrated/toolchain"
)

// A mode is what the command line asks to be made of each source.
type mode int

const (
	modeLink       mode = iota // an image, of everything
	modeObject                 // -c
	modeText                   // -S
	modePreprocess             // -E, -M, -MM
	modeSyntax                 // -fsyntax-only
)

// An input is one word of the command line that takes part in linking, in its place.
type input struct {
	path     string
	language string // of -x; empty: by the file's name
	library  string // of -l, in place of path
	option   string // of ld, in place of path
}

// An invocation is a command line, understood.
type invocation struct {
	mode     mode
	clang    []string // options for clang
	inputs   []input
	libDirs  []string
	output   string
	depend   bool     // -MD or -MMD
	depFile  string   // -MF
	depNamed bool     // -MT or -MQ
	builds   []string // level names
	fp       toolchain.FP
	emit     []string
	emitDir  string
	pollGap  bool
	system   bool
	verbose  bool
	dryRun   bool // -###
	help     bool
	query    string // an option that only asks: "--version", "-print-..."
	sanitize string // -fsanitize=...
	trap     bool   // -fsanitize-trap
	unlinked error  // why nothing can be linked
}

// parse understands a command line without response files.
func parse(args []string) (*invocation, error) {
	inv := &invocation{}
	if b := os.Getenv("MIGRATED_BUILDS"); b != "" {
		inv.builds = strings.Split(b, ",")
	}
	language := ""
	for i := 0; i < len(args); i++ {
		word := args[i]
		if word == "-" || !strings.HasPrefix(word, "-") {
			inv.inputs = append(inv.inputs, input{path: word, language: language})
			continue
		}
		o, value, known := find(word)
		separate := known && o.value && value == ""
		if separate {
			if i++; i == len(args) {
				return nil, fmt.Errorf("argument to '%s' is missing", word)
			}
			value = args[i]
		}
		switch o.effect {
		case refused:
			return nil, fmt.Errorf("%s is not supported: %s", word, o.reason)
		case refusedLink:
			inv.refuseLink(fmt.Errorf("%s is not supported: %s", word, o.reason))
		case ignored:
		case toClang:
			inv.clang = append(inv.clang, word)
			if separate {
				inv.clang = append(inv.clang, value)
			}
		case handled:
			if o.name == "-x" {
				if language = value; value == "none" {
					language = ""
				}
				continue
			}
			if err := inv.handle(o.name, word, value); err != nil {
				return nil, err
			}
		}
	}
	return inv, inv.check()
}

// handle does what one of the driver's own options says.
func (inv *invocation) handle(name, word, value string) error {
	switch name {
	case "-c":
		inv.mode = max(inv.mode, modeObject)
	case "-S":
		inv.mode = max(inv.mode, modeText)
	case "-fsyntax-only":
		inv.mode = max(inv.mode, modeSyntax)
		inv.clang = append(inv.clang, word)
	case "-E", "-M", "-MM":
		if inv.mode != modeSyntax {
			inv.mode = modePreprocess
		}
		inv.clang = append(inv.clang, word)
	case "-MD", "-MMD":
		inv.depend = true
		inv.clang = append(inv.clang, word)
	case "-MF":
		inv.depFile = value
	case "-MT", "-MQ":
		inv.depNamed = true
		inv.clang = append(inv.clang, name, value)
	case "-o":
		inv.output = value
	case "-L":
		inv.libDirs = append(inv.libDirs, value)
	case "-l":
		inv.inputs = append(inv.inputs, input{library: value})
	case "-u":
		inv.inputs = append(inv.inputs, input{option: "--undefined=" + value})
	case "-Wl,":
		inv.linker(strings.Split(value, ","))
	case "-Xlinker":
		inv.linker([]string{value})
	case "-v":
		inv.verbose = true
		inv.clang = append(inv.clang, word)
	case "-###":
		inv.dryRun = true
		inv.clang = append(inv.clang, word)
	case "--help":
		inv.help = true
	case "--version", "-dumpmachine", "-dumpversion", "-print-", "--print-":
		inv.query = word
	case "-fsanitize=":
		inv.sanitize = word
		inv.clang = append(inv.clang, word)
	case "-fsanitize-trap", "-fsanitize-undefined-trap-on-error":
		inv.trap = true
		inv.clang = append(inv.clang, word)
	case "--builds=":
		inv.builds = strings.Split(value, ",")
	case "--fp=":
		var err error
		inv.fp, err = toolchain.ParseFP(value)
		return err
	case "--emit=":
		inv.emit = strings.Split(value, ",")
	case "--emit-dir=":
		inv.emitDir = value
	case "--poll-gap":
		inv.pollGap = true
	case "--system":
		inv.system = true
	default:
		return fmt.Errorf("%s is not supported", word)
	}
	return nil
}

func (inv *invocation) refuseLink(why error) {
	if inv.unlinked == nil {
		inv.unlinked = why
	}
}

// linker understands options of ld.
func (inv *invocation) linker(words []string) {
	for i := 0; i < len(words); i++ {
		word := words[i]
		o, known := findLinker(word)
		value := ""
		if known && o.value {
			// With -Xlinker the value is an -Xlinker of its own, which comes by itself.
			if i++; i < len(words) {
				value = words[i]
			}
		}
		switch {
		case !known && !strings.HasPrefix(word, "-"):
			// The value of an option in an -Xlinker of its own.
		case !known:
			inv.refuseLink(fmt.Errorf("unsupported linker option %s: leave it out, the layout of an image is planned", word))
		case o.effect == refused:
			inv.refuseLink(fmt.Errorf("linker option %s is not supported: %s", word, o.reason))
		case o.effect == ignored:
		case o.effect == handled:
			inv.query = "-Wl,--version"
		case o.name == "-u":
			inv.inputs = append(inv.inputs, input{option: "--undefined=" + value})
		default:
			inv.inputs = append(inv.inputs, input{option: word})
		}
	}
}

// findLinker is find for an option of ld.
func findLinker(word string) (option, bool) {
	for _, o := range linkerOptions {
		if o.name == word || o.joined && strings.HasPrefix(word, o.name) {
			return o, true
		}
	}
	return option{}, false
}

// check refuses what does not go together.
func (inv *invocation) check() error {
	sources := 0
	for _, in := range inv.inputs {
		if in.isSource() {
			sources++
		}
	}
	if inv.output != "" && sources > 1 && inv.mode != modeLink {
		return errors.New("cannot specify -o when generating multiple output files")
	}
	if inv.mode == modeLink && inv.query == "" && inv.unlinked != nil {
		return inv.unlinked
	}
	if inv.sanitize != "" && (!inv.trap || needsRuntime(inv.sanitize)) {
		return fmt.Errorf("%s is not supported: %s, or add -fsanitize-trap=all where clang can do without", inv.sanitize, noRuntime)
	}
	if inv.depFile != "" && !inv.depend {
		// With -M or -MM the file is where clang writes.
		inv.clang = append(inv.clang, "-MF", inv.depFile)
	}
	return nil
}

// needsRuntime reports whether a -fsanitize= names one that cannot only trap.
func needsRuntime(sanitize string) bool {
	_, list, _ := strings.Cut(sanitize, "=")
	for name := range strings.SplitSeq(list, ",") {
		switch strings.TrimPrefix(name, "kernel-") {
		case "address", "hwaddress", "thread", "memory", "leak", "dataflow", "fuzzer", "safe-stack", "shadow-call-stack":
			return true
		}
	}
	return false
}

// isSource reports whether an input is to be compiled.
func (in *input) isSource() bool {
	if in.path == "" {
		return false
	}
	if in.language != "" || in.path == "-" {
		return true
	}
	switch filepath.Ext(in.path) {
	case ".c", ".i", ".h", ".s", ".S", ".sx", ".asm", ".cc", ".cp", ".cxx", ".cpp", ".CPP", ".c++", ".C",
		".ii", ".m", ".mm", ".f", ".F", ".f90", ".ll":
		return true
	}
	return false
}

// refusal says why a source cannot be compiled; empty if it can.
func (in *input) refusal() string {
	language := in.language
	if language == "" {
		switch filepath.Ext(in.path) {
		case ".c", ".i":
			return ""
		case ".h":
			return "precompiled headers are not supported"
		case ".s", ".S", ".sx", ".asm":
			language = "assembler"
		case ".ll":
			return "compile its source with migratecc"
		case ".cc", ".cp", ".cxx", ".cpp", ".CPP", ".c++", ".C", ".ii":
			language = "c++"
		}
	}
	switch language {
	case "c", "cpp-output":
		return ""
	case "":
		if in.path == "-" {
			return "-E or -x is required when input is from standard input"
		}
	case "assembler", "assembler-with-cpp":
		return "assembly cannot migrate; write it in C, or configure the program without it"
	case "c++", "c++-cpp-output":
		return "C++ is not supported yet"
	case "c-header":
		return "precompiled headers are not supported"
	}
	return "this language is not supported; migratecc compiles C"
}
