package link

import (
	"context"
	"fmt"
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
// processor time, which another load of the machine changes little. With several connections at
// once each carries its share.
func BenchmarkData(b *testing.B) {
	for _, direction := range []string{"dialled", "accepted"} {
		for _, streams := range []int{1, 2, 4} {
			b.Run(fmt.Sprintf("%s/streams=%d", direction, streams), func(b *testing.B) {
				x := newHub(b, "x", "1")
				y := newHub(b, "y", "2", x)
				from, to := y, x
				if direction == "accepted" {
					from, to = x, y
				}
				benchmarkData(b, from, to, streams)
			})
		}
	}
}

// benchPiece is what is written and read at once, bytes.
const benchPiece = 256 << 10

func benchmarkData(b *testing.B, from, to *testHub, streams int) {
	l := waitLink(b, from, to.name)
	waitLink(b, to, from.name)
	e, err := to.Expect(Token{1}, from.name)
	if err != nil {
		b.Fatal(err)
	}
	var out, in []net.Conn
	for n := range streams {
		ours, err := l.OpenData(context.Background(), Token{1}, uint8(n))
		if err != nil {
			b.Fatal(err)
		}
		theirs, err := e.Wait(context.Background(), uint8(n))
		if err != nil {
			b.Fatal(err)
		}
		client, server := secured(b, ours, theirs)
		out, in = append(out, client), append(in, server)
	}
	piece := make([]byte, benchPiece)
	for i := range piece {
		piece[i] = byte(rand.Uint32())
	}
	b.SetBytes(benchPiece)
	b.ResetTimer()
	before := processorTime(b)
	done := make(chan error, 2*streams)
	for n := range streams {
		share := (b.N + n) / streams
		go func() { done <- writePieces(out[n], piece, share) }()
		go func() { done <- readPieces(in[n], share) }()
	}
	for range 2 * streams {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	used := processorTime(b) - before
	b.ReportMetric(used.Seconds()/(float64(b.N)*benchPiece/1e9), "cpu-s/GB")
}

func writePieces(out io.Writer, piece []byte, count int) error {
	for range count {
		if _, err := out.Write(piece); err != nil {
			return err
		}
	}
	return nil
}

func readPieces(in io.Reader, count int) error {
	buf := make([]byte, benchPiece)
	for range count {
		if _, err := io.ReadFull(in, buf); err != nil {
			return err
		}
	}
	return nil
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
