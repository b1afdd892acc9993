package cluster

import (
	"context"
	"errors"
	"io"
	"net"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
)

func TestMissingBinaries(t *testing.T) {
	if err := checkBinaries(t.TempDir()); err == nil || !strings.Contains(err.Error(), "make build") {
		t.Errorf("error %v", err)
	}
}

func TestOutput(t *testing.T) {
	var tee strings.Builder
	o := NewOutput(&tee)
	found := make(chan []string)
	go func() {
		match, err := o.AwaitMatch(t.Context(), regexp.MustCompile(`n=(\d+);`))
		if err != nil {
			t.Error(err)
		}
		found <- match
	}()
	for _, piece := range []string{"n=1", "2", ";"} {
		io.WriteString(o, piece)
	}
	if match := <-found; match[1] != "12" {
		t.Errorf("match %q", match)
	}
	o.end()
	if err := o.Await(t.Context(), "more"); err == nil || !strings.Contains(err.Error(), "n=12;") {
		t.Errorf("after the end: %v", err)
	}
	if tee.String() != "n=12;" || o.String() != "n=12;" {
		t.Errorf("copy %q of %q", tee.String(), o)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("no time")
	cancel(why)
	if err := NewOutput(nil).Await(ctx, "x"); !errors.Is(err, why) {
		t.Errorf("without time: %v", err)
	}
}

// echo answers with what it gets.
func echo(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				io.Copy(c, c)
				c.Close()
			}()
		}
	}()
	return ln.Addr().String()
}

func TestWire(t *testing.T) {
	w, err := NewWire(echo(t))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	roundTrip := func() error {
		c, err := net.Dial("tcp", w.Address())
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := io.WriteString(c, "hello"); err != nil {
			return err
		}
		_, err = io.ReadFull(c, make([]byte, 5))
		return err
	}
	if err := roundTrip(); err != nil {
		t.Fatal(err)
	}
	var struck atomic.Int32
	w.After(8, func() { // in the middle of the answer
		struck.Add(1)
		w.Cut()
	})
	if err := roundTrip(); err == nil {
		t.Error("an answer came through a wire that was cut before it")
	}
	if n := struck.Load(); n != 1 {
		t.Errorf("the event happened %d times", n)
	}
	if err := roundTrip(); err == nil {
		t.Error("an answer came through a wire that is cut")
	}
	w.Mend()
	if err := roundTrip(); err != nil {
		t.Errorf("mended: %v", err)
	}
}
