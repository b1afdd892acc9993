// Command migratectl tells a migrated daemon what to do.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/migrated/migrated/cmd/manual"
	"github.com/migrated/migrated/node/rpcerror"
	"github.com/migrated/migrated/node/version"
)

// Exit codes. run and wait end with the program's own; so that a failure of theirs cannot be
// mistaken for one of the program's, they use exitNotRun.
const (
	exitFailed = 1
	exitUsage  = 2
	exitNotRun = 125
)

func main() {
	os.Exit(Main())
}

// Main runs migratectl with the process's arguments, and returns its exit code.
func Main() int {
	app := &app{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
	cmd, err := app.command().ExecuteContextC(context.Background())
	if err == nil {
		return 0
	}
	var program *programExit
	if errors.As(err, &program) {
		return program.code
	}
	fmt.Fprintln(os.Stderr, "migratectl:", rpcerror.Text(err))
	code := exitFailed
	var usage *usageError
	if errors.As(err, &usage) {
		fmt.Fprintf(os.Stderr, "Try '%s --help'.\n", cmd.CommandPath())
		code = exitUsage
	}
	if cmd.Annotations[programStatus] != "" {
		code = exitNotRun
	}
	return code
}

// programStatus is the annotation of commands whose exit code is the program's.
const programStatus = "exit code is the program's"

// A programExit is the end of a program, which is no failure of ours.
type programExit struct{ code int }

func (e *programExit) Error() string { return fmt.Sprintf("the program ended with status %d", e.code) }

// A usageError is a command line that makes no sense.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

// command is the root of all others.
func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "migratectl",
		Short: "Run VMs, and move them between machines while they run",
		Long: `migratectl runs programs as VMs on a node, moves them to other nodes in the middle of
their work, whatever instruction set those have, and brings them back.

It speaks to the daemon, migrated, of this machine; with --node to one elsewhere, where this
user was enrolled (migratectl login). A program is an image that migratecc built.

Exit codes: run and wait end with the program's status (128 + n if signal n ended it), or
with 125 if migratectl itself failed. All others: 0, 1 for a failure, 2 for a wrong command
line.`,
		Example: `  migratectl run hello.img                        # run it, wait, end with its status
  migratectl run --detach --name lua lua.img -- -e 'print(1)'
  migratectl ps
  migratectl offload lua --to arm-board-1         # goes on there
  migratectl logs --follow lua                    # one stream, wherever it is
  migratectl recall lua                           # and back
  migratectl trust token arm-board-1              # for migrated join there`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version.String(),
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	a.globalFlags(root)
	root.AddCommand(a.runCommand(), a.psCommand(), a.logsCommand(), a.offloadCommand(), a.recallCommand(),
		a.checkpointCommand(), a.restoreCommand(), a.stopCommand(), a.forgetCommand(), a.waitCommand(), a.inspectCommand(),
		a.nodesCommand(), a.topCommand(), a.eventsCommand(), a.reloadCommand(), a.trustCommand(), a.loginCommand(), manual.Command("1"))
	// Without this an unknown command is an error that suggests, but no usage error.
	root.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		err := fmt.Errorf("unknown command %q", args[0])
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			err = fmt.Errorf("%w; did you mean %q?", err, near[0])
		}
		return &usageError{err}
	}
	root.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	root.SuggestionsMinimumDistance = 2
	return root
}

// exactly is cobra.ExactArgs with a message that names what is missing.
func exactly(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return usagef("%s: %s is missing", cmd.Name(), names[len(args)])
		case len(args) > len(names):
			return usagef("%s: unexpected argument %q", cmd.Name(), args[len(names)])
		}
		return nil
	}
}
