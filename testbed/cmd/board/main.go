// Command board boots an emulated aarch64 machine and keeps it until it is told to end: by
// SIGINT or SIGTERM, by the end of the command that runs on it, or with -stdin by the end of
// standard input. The board ends with this process, whatever that dies of.
//
//	board -file build/bin/arm64/migrated:/bin/migrated -forward 7070 -- /bin/migrated --help
//
// Once the board takes commands, one line on standard output says so and where its ports are
// reached:
//
//	ready pid=4711 7070=127.0.0.1:40123
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/migrated/migrated/testbed/board"
)

type options struct {
	memory  uint64 // MiB
	files   map[string]string
	forward []int
	stdin   bool
	console bool
	command []string
}

func main() {
	opt, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "board:", err)
		os.Exit(2)
	}
	status, err := run(opt)
	if err != nil {
		fmt.Fprintln(os.Stderr, "board:", err)
		os.Exit(1)
	}
	os.Exit(status)
}

func parse(args []string) (*options, error) {
	opt := &options{files: map[string]string{}}
	f := flag.NewFlagSet("board", flag.ContinueOnError)
	f.Uint64Var(&opt.memory, "memory", 512, "memory of the board, `MiB`")
	f.BoolVar(&opt.stdin, "stdin", false, "end with standard input")
	f.BoolVar(&opt.console, "console", false, "copy the board's serial port to standard error")
	f.Func("file", "copy a file to the board, `HERE:THERE`; may be repeated", func(s string) error {
		here, there, ok := strings.Cut(s, ":")
		if !ok {
			return errors.New("want HERE:THERE")
		}
		opt.files[there] = here
		return nil
	})
	f.Func("forward", "make a TCP `port` of the board reachable here; may be repeated", func(s string) error {
		port, err := strconv.ParseUint(s, 10, 16)
		if err != nil || port == 0 {
			return errors.New("want a port, 1 to 65535")
		}
		opt.forward = append(opt.forward, int(port))
		return nil
	})
	err := f.Parse(args)
	opt.command = f.Args()
	return opt, err
}

// run keeps a board until it shall end, and returns the status to end with.
func run(opt *options) (int, error) {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	cfg := board.Config{Memory: opt.memory << 20, Files: opt.files, Forward: opt.forward}
	if opt.console {
		cfg.Console = os.Stderr
	}
	b, err := board.Start(ctx, cfg)
	if err != nil {
		return 0, err
	}
	defer b.Stop()
	ready := fmt.Sprintf("ready pid=%d", b.PID())
	for _, port := range opt.forward {
		ready += fmt.Sprintf(" %d=%s", port, b.Addr(port))
	}
	fmt.Println(ready)
	if opt.stdin {
		go func() {
			io.Copy(io.Discard, os.Stdin)
			cancel()
		}()
	}
	if len(opt.command) > 0 {
		return command(ctx, b, opt.command)
	}
	select {
	case <-ctx.Done():
		return 0, nil
	case <-b.Done():
		return 0, fmt.Errorf("the board is off; its console:\n%s", b.Console())
	}
}

// command runs a command on the board; being told to end before it does is no failure.
func command(ctx context.Context, b *board.Board, argv []string) (int, error) {
	status, err := b.Run(ctx, os.Stdout, os.Stderr, argv...)
	if err != nil && ctx.Err() != nil {
		return 0, nil
	}
	return status, err
}
