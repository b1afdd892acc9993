// Package manual makes the manual pages of a command of what its --help says.
package manual

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

// Command is a hidden one that writes the pages of the command that it belongs to, and of those
// below it, into a directory; packages are made with it. The section is that of man-pages(7): 1
// for programs, 8 for daemons.
func Command(section string) *cobra.Command {
	return &cobra.Command{
		Use:    "man DIRECTORY",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			if err := write(args[0], section, cmd.Root()); err != nil {
				return fmt.Errorf("write manual pages: %w", err)
			}
			return nil
		},
	}
}

// write writes the page of a command and those of the commands below it.
func write(dir, section string, cmd *cobra.Command) error {
	for _, sub := range cmd.Commands() {
		if !documented(sub) {
			continue
		}
		if err := write(dir, section, sub); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, pageName(cmd)+"."+section), page(section, cmd), 0o644)
}

func documented(cmd *cobra.Command) bool {
	return cmd.IsAvailableCommand() && !cmd.IsAdditionalHelpTopicCommand()
}
