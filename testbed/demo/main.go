// Command demo shows what migrated is for: a Lua program starts on this machine, crosses to
// an emulated ARM board in the middle of its work, comes back, and ends as if nothing had
// happened. Its exit status says whether that is what came of it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second interrupt does not wait for anything
	p := newPrinter(os.Stdout)
	err := run(ctx, p)
	switch {
	case ctx.Err() != nil:
		p.line("\nInterrupted; everything that was started has been stopped.")
		os.Exit(130) // 128 + SIGINT
	case errors.Is(err, errDiffers):
		os.Exit(1) // the verdict has said it
	case err != nil:
		fmt.Fprintln(os.Stderr, "\ndemo:", err)
		os.Exit(1)
	}
}
