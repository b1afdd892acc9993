package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/migrated/migrated/node/console"
	"github.com/migrated/migrated/node/rpcerror"
	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/vmm"
)

// A terminal is the program's: what is typed reaches it, what it prints is shown, over any
// restart of its daemon.
type terminal struct {
	app    *app
	client pb.NodeClient
	input  *console.Input // from what the program is not known to have

	interrupts chan os.Signal
	id, name   string // of the VM; empty until it has been started
	seen       int64  // how much of its log has been shown
}

// runAttached starts a program, and is its terminal until it ends; the error is its exit. lacking:
// the daemon has not all of its image.
func (a *app) runAttached(ctx context.Context, client pb.NodeClient, spec *pb.RunSpec, files []hostFile) (lacking bool, err error) {
	t := &terminal{app: a, client: client, input: console.NewInput(), interrupts: make(chan os.Signal, 1)}
	defer signal.Stop(t.interrupts)
	err = t.stay(ctx, func(stream pb.Node_AttachClient) error {
		first := true
		err := sendRun(spec, files, func(part *pb.RunRequest) error {
			request := &pb.AttachRequest{Run: part, Stdin: first}
			first = false
			return stream.Send(request)
		})
		if err != nil {
			return err
		}
		return stream.Send(&pb.AttachRequest{Run: &pb.RunRequest{}})
	})
	return t.id == "" && status.Code(err) == codes.NotFound, err
}

// begin is called when there is a program. Until then an interrupt ends migratectl.
func (t *terminal) begin(ctx context.Context, vm *pb.VM) {
	t.id, t.name = vm.Id, vm.Name
	signal.Notify(t.interrupts, syscall.SIGINT, syscall.SIGTERM)
	go t.readInput(ctx)
}

// stay is attached until the program ends, by one stream after the other. The first is opened by
// open.
func (t *terminal) stay(ctx context.Context, open func(pb.Node_AttachClient) error) error {
	for ; ; open = t.resume {
		ended, err := t.session(ctx, open)
		if ended != nil {
			return programEnd(ended)
		}
		if err != nil && (status.Code(err) != codes.Unavailable || t.id == "") {
			return err
		}
		fmt.Fprintf(t.app.stderr, "migratectl: the daemon has gone away; waiting %v for its return\n", returnPatience)
		if err := t.awaitReturn(ctx); err != nil {
			return fmt.Errorf("%s has lost its terminal, and its input ends; see `migratectl ps` and `migratectl logs`: %w", t.name, t.app.explain(err))
		}
		fmt.Fprintf(t.app.stderr, "migratectl: attached to %s again\n", t.name)
	}
}

// resume opens a stream to a program that runs.
func (t *terminal) resume(stream pb.Node_AttachClient) error {
	return stream.Send(&pb.AttachRequest{Vm: t.id, Stdin: true, LogOffset: t.seen})
}

// returnPatience is how long a daemon may be away.
const returnPatience = time.Minute

// awaitReturn waits until a daemon answers. Who does not want to wait interrupts.
func (t *terminal) awaitReturn(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, returnPatience)
	defer cancel()
	var last error // of the daemon's; better than that the time is over
	for {
		_, err := t.client.Inspect(ctx, &pb.VMRequest{Vm: t.id})
		if status.Code(err) != codes.Unavailable && ctx.Err() == nil {
			return err
		}
		if last == nil || ctx.Err() == nil {
			last = err
		}
		select {
		case <-time.After(returnInterval):
		case <-t.interrupts:
			return errors.New("interrupted")
		case <-ctx.Done():
			return last
		}
	}
}

// returnInterval is how often a daemon that is away is looked for.
const returnInterval = 100 * time.Millisecond

// session is one stream. The end of the program, if it came to that.
func (t *terminal) session(ctx context.Context, open func(pb.Node_AttachClient) error) (ended *pb.VM, err error) {
	program := ctx
	ctx, cancel := context.WithCancel(ctx)
	var both sync.WaitGroup
	defer both.Wait()
	defer cancel()
	stream, err := t.client.Attach(ctx)
	if err != nil {
		return nil, err
	}
	if err := open(stream); err != nil && !errors.Is(err, io.EOF) { // io.EOF: the daemon's answer says why
		return nil, err
	}
	both.Go(func() { t.stopOnInterrupt(ctx) })
	begun := false
	err = each(stream, func(event *pb.AttachResponse) error {
		switch e := event.Event.(type) {
		case *pb.AttachResponse_Log:
			if err := t.app.printFrames(e.Log.Frames); err != nil {
				return err
			}
			t.seen = e.Log.Offset + int64(len(e.Log.Frames))
		case *pb.AttachResponse_Accepted:
			t.input.Accept(e.Accepted)
			if !begun { // it goes on from there
				begun = true
				both.Go(func() { t.sendInput(ctx, stream, e.Accepted) })
			}
		case *pb.AttachResponse_Started:
			t.begin(program, e.Started)
		case *pb.AttachResponse_Ended:
			ended = e.Ended
		}
		return nil
	})
	return ended, err
}

// readInput takes standard input, up to its end.
func (t *terminal) readInput(ctx context.Context) {
	buf := make([]byte, 32<<10)
	for offset := int64(0); ; {
		n, err := t.app.stdin.Read(buf)
		if t.input.Write(ctx, offset, buf[:n]) != nil {
			return
		}
		offset += int64(n)
		if err != nil {
			if !errors.Is(err, io.EOF) {
				fmt.Fprintln(t.app.stderr, "migratectl: standard input:", err)
			}
			t.input.CloseWrite()
			return
		}
	}
}

// sendInput passes standard input on, from an offset.
func (t *terminal) sendInput(ctx context.Context, stream pb.Node_AttachClient, offset int64) {
	for {
		p, err := t.input.Read(ctx, offset)
		eof := errors.Is(err, io.EOF)
		if err != nil && !eof {
			return
		}
		if stream.Send(&pb.AttachRequest{Offset: offset, Data: p, Eof: eof}) != nil || eof {
			return // where the stream has ended, it says why
		}
		offset += int64(len(p))
	}
}

// stopOnInterrupt asks the program to end at the first interrupt, and ends it at the second.
func (t *terminal) stopOnInterrupt(ctx context.Context) {
	for grace := (*durationpb.Duration)(nil); ; grace = durationpb.New(0) {
		select {
		case <-t.interrupts: // there are none before the program has begun
		case <-ctx.Done():
			return
		}
		go func() {
			if _, err := t.client.Stop(ctx, &pb.StopRequest{Vm: t.id, Grace: grace}); err != nil && ctx.Err() == nil {
				fmt.Fprintln(t.app.stderr, "migratectl: stop:", rpcerror.Text(err))
			}
		}()
	}
}

// printFrames writes a piece of log to the stream that each frame is for.
func (a *app) printFrames(frames []byte) error {
	return console.Each(frames, func(stream vmm.Stream, p []byte) error {
		out := a.stdout
		if stream == vmm.Stderr {
			out = a.stderr
		}
		_, err := out.Write(p)
		return err
	})
}

// programEnd turns the end of a VM into the end of migratectl.
func programEnd(vm *pb.VM) error {
	switch {
	case vm.Exit == nil:
		return fmt.Errorf("the VM %s is lost: %s", vm.Name, vm.Note)
	case vm.Exit.Code != 0:
		return &programExit{int(vm.Exit.Code)}
	}
	return nil
}
