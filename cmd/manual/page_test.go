package manual

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func tree() *cobra.Command {
	run := func(*cobra.Command, []string) {}
	root := &cobra.Command{Use: "tool", Short: "Do it", Long: "It does.\n\n.hidden files and a\\b stay as they are.", Run: run}
	sub := &cobra.Command{Use: "sub FILE", Short: "Do a part", Example: "  tool sub --size 64M x\n'quoted'", Run: run}
	sub.Flags().StringP("size", "s", "8M", "how much,\n`bytes` or with a unit")
	sub.Flags().String("secret", "", "not shown")
	_ = sub.Flags().MarkHidden("secret")
	root.PersistentFlags().Bool("loud", false, "say more")
	root.AddCommand(sub, &cobra.Command{Use: "quiet", Hidden: true, Run: run}, Command("8"))
	return root
}

func TestPages(t *testing.T) {
	dir := t.TempDir()
	root := tree()
	root.SetArgs([]string{"man", dir})
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.8"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		if !strings.Contains(f, "completion") {
			names = append(names, filepath.Base(f))
		}
	}
	if got := strings.Join(names, " "); got != "tool-sub.8 tool.8" {
		t.Errorf("pages %q", got)
	}
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for page, parts := range map[string][]string{
		"tool.8": {".SH NAME\ntool \\- Do it\n", "\n\\&.hidden files and a\\eb stay", "\\fBtool\\-sub\\fP(8)", "\\fB\\-\\-loud\\fP\nsay more\n"},
		"tool-sub.8": {
			"tool\\-sub \\- Do a part", ".SH DESCRIPTION\n.nf\nDo a part\n", "  tool sub \\-\\-size 64M x\n\\&'quoted'\n",
			".TP\n\\fB\\-s\\fP, \\fB\\-\\-size\\fP \\fIbytes\\fP\nhow much,\nbytes or with a unit\n(default 8M)\n", "INHERITED", "\\fBtool\\fP(8)",
		},
	} {
		for _, part := range parts {
			if !strings.Contains(read(page), part) {
				t.Errorf("%s lacks %q:\n%s", page, part, read(page))
			}
		}
	}
	if strings.Contains(read("tool-sub.8"), "secret") {
		t.Error("a hidden flag is shown")
	}
	if _, err := exec.LookPath("groff"); err != nil {
		return // the rest asks troff itself
	}
	for _, name := range names {
		cmd := exec.Command("groff", "-man", "-Tutf8", "-ww", "-z", filepath.Join(dir, name))
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v: %s", name, err, out)
		}
	}
}
