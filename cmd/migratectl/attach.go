package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/migrated/migrated/node/console"
	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/vmm"
)

// attach is the program's terminal until it ends; the result is its exit.
func (a *app) attach(ctx context.Context, client pb.NodeClient, vm *pb.VM) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := client.Attach(ctx)
	if err != nil {
		return err
	}
	if err := stream.Send(&pb.AttachRequest{Vm: vm.Id, Stdin: true}); err != nil {
		return err
	}
	go a.sendInput(stream)
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(interrupts)
	go a.stopOnInterrupt(ctx, client, vm.Id, interrupts)

	var ended *pb.VM
	err = each(stream, func(event *pb.AttachResponse) error {
		switch e := event.Event.(type) {
		case *pb.AttachResponse_Log:
			return a.printFrames(e.Log.Frames)
		case *pb.AttachResponse_Ended:
			ended = e.Ended
		}
		return nil
	})
	if err != nil {
		return err
	}
	return programEnd(ended)
}

// sendInput passes standard input on, up to its end.
func (a *app) sendInput(stream pb.Node_AttachClient) {
	buf := make([]byte, 32<<10)
	for {
		n, err := a.stdin.Read(buf)
		if n > 0 {
			if stream.Send(&pb.AttachRequest{Data: append([]byte(nil), buf[:n]...)}) != nil {
				return // the program has ended, and the stream says how
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				fmt.Fprintln(a.stderr, "migratectl: standard input:", err)
			}
			_ = stream.Send(&pb.AttachRequest{Eof: true})
			return
		}
	}
}

// stopOnInterrupt asks the program to end at the first interrupt, and ends it at the second.
func (a *app) stopOnInterrupt(ctx context.Context, client pb.NodeClient, id string, interrupts <-chan os.Signal) {
	for request := (&pb.StopRequest{Vm: id}); ; request = (&pb.StopRequest{Vm: id, Grace: durationpb.New(0)}) {
		select {
		case <-interrupts:
		case <-ctx.Done():
			return
		}
		go func() {
			if _, err := client.Stop(ctx, request); err != nil && ctx.Err() == nil {
				fmt.Fprintln(a.stderr, "migratectl: stop:", message(err))
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
	case vm == nil:
		return errors.New("the daemon went away before the program ended")
	case vm.Exit == nil:
		return fmt.Errorf("the VM %s is lost: %s", vm.Name, vm.Note)
	case vm.Exit.Code != 0:
		return &programExit{int(vm.Exit.Code)}
	}
	return nil
}
