package programs_test

import (
	"bytes"
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/migrated/migrated/testbed/oracle"
	"github.com/migrated/migrated/vmm"
)

// An ownTest is a program that a source package has to test itself with: one that says what is
// wrong and ends with another status than 0.
type ownTest struct {
	script, image string
	name          string // of the test; "": the image's
	args          []string
	says          string // is in what it prints when all is well
	files         string // a file or directory of the source that it reads, in build
	directory     string // that it wants to find
	like          string // a file of the source with what it must print, in build
	memory        uint64 // bytes; 0: 64 MiB
	varies        string // what it prints that no two runs have in common, a regular expression
}

// TestOwnTests runs them plain and moved.
func TestOwnTests(t *testing.T) {
	expensive(t, "a few minutes of CPU time for each package")
	t.Logf("seed %d", *seed)
	for _, own := range []ownTest{
		// Their first tests want more memory than is moved in a test: -t1 begins behind them.
		{script: "zstd-tests", image: "zstd_fuzzer", args: []string{"-v", "-s11", "-t1", "-i30"}, memory: 512 << 20},
		{script: "zstd-tests", image: "zstd_zstreamtest", args: []string{"-v", "-s12", "-t1", "-i3"}, memory: 512 << 20},
		{script: "zstd-tests", image: "zstd_poolTests", says: "PASS: all POOL tests"},
		{script: "mruby", image: "mrbtest", says: "     KO: 0\n  Crash: 0\n", memory: 128 << 20, varies: "Time: .*"},
		{script: "xz", image: "xz_test_index"}, // prints nothing when all is well
		xzTest("check"), xzTest("stream_flags"), xzTest("filter_flags"), xzTest("block_header"), xzTest("index_hash"),
		xzTest("bcj_exact_size"), xzTest("memlimit"), xzTest("lzip_decoder"),
		{
			script: "sqlite3-tests", image: "sqlite3_fuzzcheck", files: "upstream/sqlite3/test/fuzzdata8.db",
			// Its own limit of time, and of memory, is for a processor that is not emulated.
			args: []string{"--timeout", "600000", "--limit-heap", "64M", "/test/fuzzdata8.db"},
			says: "fuzzcheck: 0 errors out of 575 tests", varies: "in [0-9.]* seconds", memory: 256 << 20,
		},
		jqTest("jq"), jqTest("onig"), jqTest("base64"), jqTest("optional"),
		{script: "expat", image: "expat_runtests", says: "100%: Checks: 365, Failed: 0\n"},
		{script: "libtommath", image: "libtommath_test", says: "Tests OK/NOP/FAIL: 41/0/0", varies: "(?s)SEED: .*Tests"},
		{script: "libpng", image: "pngtest", args: []string{"/libpng1.6/pngtest.png"}, files: "src/libpng1.6/pngtest.png", says: " libpng passes test\n"},
		{script: "libpng", image: "pngvalid", args: []string{"--standard"}, says: "PASS: pngvalid --standard", memory: 128 << 20},
		// What it says of its timers depends on the machine.
		{script: "mbedtls", image: "mbedtls_selftest", args: []string{"-x", "timing"}, says: "\n  Executed 26 test suites\n\n  [ All tests PASS ]\n"},
		lmdbTest("mtest"), lmdbTest("mtest2"), lmdbTest("mtest3"), lmdbTest("mtest4"), lmdbTest("mtest5"),
		pcre2Test("-8", 1), pcre2Test("-16", 1), pcre2Test("-32", 1), pcre2Test("-8", 4), pcre2Test("-16", 5),
		pcre2Test("-32", 5), pcre2Test("-8", 6), pcre2Test("-16", 7), pcre2Test("-32", 7),
	} {
		t.Run(cmp.Or(own.name, own.image), func(t *testing.T) {
			image := built(t, own.script)[own.image]
			t.Parallel()
			own.run(t, image)
		})
	}
}

func xzTest(name string) ownTest {
	return ownTest{script: "xz", image: "xz_test_" + name, says: "# FAIL:  0\n# ERROR: 0\n", files: "src/xz-utils/tests/files", memory: 256 << 20}
}

// jqTest runs a file of filters, each with an input and what must come of it.
func jqTest(name string) ownTest {
	return ownTest{
		script: "jq", image: "jq", name: "jq_" + name, files: "src/jq/tests", says: " tests passed (0 malformed",
		args: []string{"-L", "/tests/modules", "--run-tests", "/tests/" + name + ".test"},
	}
}

// lmdbTest fills a database with what the clock decides, and takes it away. It aborts where anything fails.
func lmdbTest(name string) ownTest {
	return ownTest{script: "lmdb", image: "lmdb_" + name, directory: "testdb", says: "Adding ", varies: "(?s).+"}
}

// pcre2Test matches a file of expressions with characters of as many bits as the option says. Files 1 and 4 are
// matched as Perl does it, 4 in UTF; 5 is of what Perl has not, 6 and 7 are matched by its other algorithm.
func pcre2Test(option string, file int) ownTest {
	of := func(kind string) string { return fmt.Sprintf("src/pcre2/testdata/test%s%d", kind, file) }
	return ownTest{
		script: "pcre2", image: "pcre2test", name: fmt.Sprintf("pcre2test%s_%d", option, file),
		args: []string{"-q", option, fmt.Sprintf("/testdata/testinput%d", file)}, files: of("input"), like: of("output"),
	}
}

func (own ownTest) run(t *testing.T, image string) {
	m := open(t, image)
	p, err := oracle.Of(m)
	if err != nil {
		t.Fatal(err)
	}
	p.Args = append([]string{own.image}, own.args...)
	if own.memory != 0 {
		p.Memory = own.memory
	}
	if own.files != "" {
		p.Files = tree(t, filepath.Join(root(t), "build", own.files))
	}
	if own.directory != "" {
		p.Files = append(p.Files, vmm.File{Path: "/" + own.directory + "/README", Mode: 0o644})
	}
	var varies *regexp.Regexp
	if own.varies != "" {
		varies = regexp.MustCompile(own.varies)
	}
	got := movedBut(t, p, m, varies)
	well := strings.Contains(string(got.Stdout), own.says)
	if own.like != "" {
		well = bytes.Equal(got.Stdout, read(t, filepath.Join(root(t), "build", own.like)))
	}
	if got.Exit.Code != 0 || !well {
		t.Errorf("exit status %d, and it prints %s\nstandard error: %s", got.Exit.Code, brief(got.Stdout), brief(got.Stderr))
	}
}

// tree gives a guest a file, or all that are in a directory, in a directory of the name that
// theirs has.
func tree(t *testing.T, top string) []vmm.File {
	t.Helper()
	in := filepath.Dir(top)
	if info, err := os.Stat(top); err == nil && !info.IsDir() {
		in = filepath.Dir(in)
	}
	var files []vmm.File
	err := filepath.WalkDir(top, func(name string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(name)
		files = append(files, vmm.File{Path: strings.TrimPrefix(name, in), Mode: 0o644, Data: data})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
