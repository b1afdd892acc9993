package statexfer

import (
	"context"
	"io"
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

// BenchmarkTransfer moves 64 MiB of mixed content over loopback TCP.
func BenchmarkTransfer(b *testing.B) {
	mem := testMemory(64<<20/PageSize, 1)
	for _, codec := range []Codec{None, S2, Zstd, Auto} {
		b.Run(codec.String(), func(b *testing.B) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			dst, _ := memfd(b, len(mem))
			b.SetBytes(int64(len(mem)))
			for b.Loop() {
				b.StopTimer()
				if err := unix.Madvise(dst, unix.MADV_REMOVE); err != nil {
					b.Fatal(err)
				}
				out, err := net.Dial("tcp", l.Addr().String())
				if err != nil {
					b.Fatal(err)
				}
				in, err := l.Accept()
				if err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				done := make(chan error)
				go func() {
					_, _, err := Send(context.Background(), out, mem, Options{Compress: codec})
					done <- err
				}()
				if _, _, err := Receive(context.Background(), in, dst, nil); err != nil {
					b.Fatal(err)
				}
				if err := <-done; err != nil {
					b.Fatal(err)
				}
				out.Close()
				in.Close()
			}
		})
	}
}

// BenchmarkSend is the sender alone, by codec.
func BenchmarkSend(b *testing.B) {
	mem := testMemory(64<<20/PageSize, 1)
	for _, codec := range []Codec{None, S2, Zstd} {
		b.Run(codec.String(), func(b *testing.B) {
			b.SetBytes(int64(len(mem)))
			for b.Loop() {
				if _, _, err := Send(context.Background(), io.Discard, mem, Options{Compress: codec}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSendUntouched is memory that was never used, with and without its file.
func BenchmarkSendUntouched(b *testing.B) {
	const size = 256 << 20
	mem, file := memfd(b, size)
	b.Run("holes", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			if _, _, err := Send(context.Background(), io.Discard, mem, Options{Backing: file}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("touched", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			if _, _, err := Send(context.Background(), io.Discard, mem, Options{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDigest(b *testing.B) {
	mem := testMemory(64<<20/PageSize, 1)
	b.SetBytes(int64(len(mem)))
	for b.Loop() {
		Digest(mem)
	}
}

// BenchmarkFirstDigest is what a side of a post-copy works out while the guest stands still: of a
// 2 GiB memory nearly all pages are to come.
func BenchmarkFirstDigest(b *testing.B) {
	const pages = 2 << 30 / PageSize
	for b.Loop() {
		b.StopTimer()
		d := newDigester(pages)
		d.put(pages/2, 1)
		b.StartTimer()
		d.sum()
	}
}

// BenchmarkSendNoise is the sender alone, of pages that no codec makes smaller; again is what a
// sender has to do beside for pages that may be sent again.
func BenchmarkSendNoise(b *testing.B) {
	mem := testNoise(64 << 20 / PageSize)
	for name, again := range map[string]bool{"once": false, "again": true} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(mem)))
			for b.Loop() {
				s, err := NewSender(io.Discard, mem, Options{Again: again})
				if err != nil {
					b.Fatal(err)
				}
				if err := s.Round(context.Background(), nil); err != nil {
					b.Fatal(err)
				}
				s.Close()
			}
		})
	}
}
