package manual

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The text of a page is man(7)'s. A library for it would bring a Markdown parser and a YAML writer
// into each program, and the time that those take at every start.

// pageName is of a command's page, without its section.
func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// page is the page of one command.
func page(section string, cmd *cobra.Command) []byte {
	cmd.InitDefaultHelpCmd()
	cmd.InitDefaultHelpFlag()
	var b strings.Builder
	fmt.Fprintf(&b, ".TH \"%s\" \"%s\" \"\" \"migrated\" \"migrated\"\n.nh\n", text(strings.ToUpper(pageName(cmd))), section)
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", text(pageName(cmd)), text(cmd.Short))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n\\fB%s\\fP\n", text(cmd.UseLine()))
	description := cmd.Long
	if description == "" {
		description = cmd.Short
	}
	fmt.Fprintf(&b, ".SH DESCRIPTION\n%s", asShown(description))
	flags(&b, "OPTIONS", cmd.NonInheritedFlags())
	flags(&b, "OPTIONS INHERITED FROM PARENT COMMANDS", cmd.InheritedFlags())
	if cmd.Example != "" {
		fmt.Fprintf(&b, ".SH EXAMPLE\n%s", asShown(cmd.Example))
	}
	seeAlso(&b, section, cmd)
	return []byte(b.String())
}

// flags writes a list of flags, if there are any.
func flags(b *strings.Builder, title string, set *pflag.FlagSet) {
	if !set.HasAvailableFlags() {
		return
	}
	fmt.Fprintf(b, ".SH %s\n", title)
	set.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Deprecated != "" {
			return
		}
		name := "\\fB" + text("--"+f.Name) + "\\fP"
		if f.Shorthand != "" {
			name = "\\fB" + text("-"+f.Shorthand) + "\\fP, " + name
		}
		kind, usage := pflag.UnquoteUsage(f)
		if kind != "" {
			name += " \\fI" + text(kind) + "\\fP"
		}
		fmt.Fprintf(b, ".TP\n%s\n%s", name, lines(usage))
		switch f.DefValue {
		case "", "0", "[]", "false":
		default:
			fmt.Fprintf(b, "(default %s)\n", text(f.DefValue))
		}
	})
}

// seeAlso names the pages of the commands around this one.
func seeAlso(b *strings.Builder, section string, cmd *cobra.Command) {
	var pages []string
	if cmd.HasParent() {
		pages = append(pages, pageName(cmd.Parent()))
	}
	for _, sub := range cmd.Commands() {
		if documented(sub) {
			pages = append(pages, pageName(sub))
		}
	}
	if len(pages) == 0 {
		return
	}
	for i, p := range pages {
		pages[i] = fmt.Sprintf("\\fB%s\\fP(%s)", text(p), section)
	}
	fmt.Fprintf(b, ".SH SEE ALSO\n%s\n", strings.Join(pages, ",\n"))
}

// asShown is text whose lines and indents are meant as they are.
func asShown(s string) string { return ".nf\n" + lines(s) + ".fi\n" }

// lines is text of which no line is a request to troff, with a newline at its end.
func lines(s string) string {
	all := strings.Split(strings.TrimRight(text(s), "\n"), "\n")
	for i, l := range all {
		if strings.HasPrefix(l, ".") || strings.HasPrefix(l, "'") {
			all[i] = `\&` + l
		}
	}
	return strings.Join(all, "\n") + "\n"
}

// text is text without escapes. A plain hyphen would be shown as another character than the one
// that is typed.
func text(s string) string { return strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s) }
