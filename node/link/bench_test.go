package link

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/migrated/migrated/node/channel"
)

// BenchmarkData measures how fast memory goes from one node to another on this machine, both
// ends included, from the side that has dialled and from the other; and what that costs in
// processor time, which another load of the machine changes little.
func BenchmarkData(b *testing.B) {
	for _, direction := range []string{"dialled", "accepted"} {
		b.Run(direction, func(b *testing.B) {
			x := newHub(b, "x", "1")
			y := newHub(b, "y", "2", x)
			from, to := y, x
			if direction == "accepted" {
				from, to = x, y
			}
			l := waitLink(b, from, to.name)
			waitLink(b, to, from.name)
			piece := make([]byte, 256<<10)
			for i := range piece {
				piece[i] = byte(rand.Uint32())
			}
			e, err := to.Expect(Token{1}, from.name)
			if err != nil {
				b.Fatal(err)
			}
			ours, err := l.OpenData(context.Background(), Token{1}, 0)
			if err != nil {
				b.Fatal(err)
			}
			theirs, err := e.Wait(context.Background(), 0)
			if err != nil {
				b.Fatal(err)
			}
			out, in := secured(b, ours, theirs)
			done := make(chan error)
			b.SetBytes(int64(len(piece)))
			b.ResetTimer()
			before := processorTime(b)
			go func() {
				buf := make([]byte, 256<<10)
				for range b.N {
					if _, err := io.ReadFull(in, buf); err != nil {
						done <- err
						return
					}
				}
				done <- nil
			}()
			for range b.N {
				if _, err := out.Write(piece); err != nil {
					b.Fatal(err)
				}
			}
			if err := <-done; err != nil {
				b.Fatal(err)
			}
			used := processorTime(b) - before
			b.ReportMetric(used.Seconds()/(float64(b.N)*float64(len(piece))/1e9), "cpu-s/GB")
		})
	}
}

// secured is a data connection as the processes of a VM use it.
func secured(b *testing.B, ours, theirs net.Conn) (out, in net.Conn) {
	source, err := channel.NewKeys()
	if err != nil {
		b.Fatal(err)
	}
	target, err := channel.NewKeys()
	if err != nil {
		b.Fatal(err)
	}
	client, err := channel.Config(source.With(target.Digest()))
	if err != nil {
		b.Fatal(err)
	}
	server, err := channel.Config(target.With(source.Digest()))
	if err != nil {
		b.Fatal(err)
	}
	return channel.NewClient(ours, client), channel.NewServer(theirs, server)
}

// processorTime is what this process has used.
func processorTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
