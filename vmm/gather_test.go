package vmm

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/migrated/migrated/vmm/hostabi"
)

// A printer writes to an output's ring as a guest does.
type printer struct {
	*output
	rings int
	got   atomic.Pointer[[]byte] // what was emitted
	emits atomic.Int32
}

// newPrinter makes one whose output is taken until stop is called.
func newPrinter(t *testing.T) (p *printer, stop func()) {
	p = &printer{}
	p.got.Store(new([]byte))
	p.output = newOutput(&hostabi.Ring{}, func(_ Stream, b []byte) {
		more := append(bytes.Clone(*p.got.Load()), b...)
		p.got.Store(&more)
		p.emits.Add(1)
	}, func(err error) { t.Error(err) })
	go p.run()
	return p, func() {
		close(p.quit)
		<-p.gone
	}
}

// print writes one frame, and rings if the ring was empty.
func (p *printer) print(text string) {
	head := p.ring.Head
	b := append(binary.LittleEndian.AppendUint32(nil, uint32(Stdout)<<24|uint32(len(text))), text...)
	for hostabi.RingSize-(head-atomic.LoadUint32(&p.ring.Tail)) < uint32(len(b)) {
		p.flush(nil)
	}
	for i, c := range b {
		p.ring.Data[(head+uint32(i))%hostabi.RingSize] = c
	}
	atomic.StoreUint32(&p.ring.Head, head+uint32(len(b)))
	if atomic.LoadUint32(&p.ring.Tail) == head {
		p.rings++
		p.soon()
	}
}

func (p *printer) text() string { return string(*p.got.Load()) }

// TestGather: what a silent guest prints is taken at once; one that prints all the time seldom rings,
// and nothing waits for longer than a pause.
func TestGather(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, stop := newPrinter(t)
		defer stop()
		want := ""
		now := func(what string) {
			t.Helper()
			want += what
			p.print(what)
			synctest.Wait()
			if p.text() != want {
				t.Errorf("%q was not taken at once", what)
			}
		}
		now("the first\n")
		for i := range 400 {
			time.Sleep(1500 * time.Microsecond)
			line := fmt.Sprintln("line", i)
			want += line
			p.print(line)
		}
		synctest.Wait()
		const most = 600/16 + 10 // 600 ms of it, and shorter pauses at the beginning
		if n := p.emits.Load(); p.rings > 2 || n > most {
			t.Errorf("rang %d times, taken %d times: want at most 2 and %d", p.rings, n, most)
		}
		time.Sleep(longestPause)
		synctest.Wait()
		if p.text() != want {
			t.Errorf("%d bytes are there, want %d", len(p.text()), len(want))
		}
		time.Sleep(time.Second)
		now("after long\n")
	})
}

// TestGatherSlowly: a guest that prints now and then wakes the host once for it.
func TestGatherSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, stop := newPrinter(t)
		defer stop()
		for i := range 10 {
			time.Sleep(20 * time.Millisecond)
			p.print("tick\n")
			synctest.Wait()
			if n := int(p.emits.Load()); p.rings != i+1 || n != i+1 {
				t.Fatalf("line %d: rang %d times, taken %d times", i+1, p.rings, n)
			}
		}
	})
}

// TestGatherIdle: what a guest printed before it waits is taken soon, however long it had printed.
func TestGatherIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, stop := newPrinter(t)
		defer stop()
		for range 100 {
			time.Sleep(time.Millisecond)
			p.print("line\n")
		}
		time.Sleep(longestPause + firstPause)
		p.print("question?")
		p.idle()
		time.Sleep(firstPause)
		synctest.Wait()
		if !bytes.HasSuffix([]byte(p.text()), []byte("?")) {
			t.Errorf("it waits for an answer to what nobody has seen: %d bytes", len(p.text()))
		}
		p.idle() // with nothing to take
		if len(p.hurry) != 0 {
			t.Error("an empty ring is hurried")
		}
	})
}

// TestGatherAll: nothing is left in the ring, whenever it is written while the host stops gathering.
func TestGatherAll(t *testing.T) {
	p, stop := newPrinter(t)
	defer stop()
	want := 0
	for round := range 300 {
		for range round % 7 {
			p.print("some\n")
			want += 5
		}
		for began := time.Now(); len(*p.got.Load()) != want; {
			if time.Since(began) > time.Minute {
				t.Fatalf("round %d: %d of %d bytes were taken", round, len(*p.got.Load()), want)
			}
			time.Sleep(100 * time.Microsecond)
		}
	}
}
