package vmm

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/migrated/migrated/vmm/hostabi"
)

const (
	ringBytes = int(unsafe.Sizeof(hostabi.Ring{}))
	// frameHeader is the size of a frame's header in the output ring: stream << 24 | n.
	frameHeader = 4
	// outputPause is how long the guest's writes gather after some were taken.
	outputPause = time.Millisecond
)

// An output takes frames from the guest's output ring. Its goroutine alone calls emit.
type output struct {
	ring *hostabi.Ring
	emit func(Stream, []byte)

	kick  chan struct{}     // the ring has something
	syncs chan chan<- error // take everything, then answer
	quit  chan struct{}     // closed: end the goroutine
	gone  chan struct{}     // closed: it has ended
	fail  func(error)       // the guest wrote nonsense

	tail uint32 // what ring.Tail has; the guest can write there, so this one counts
	buf  [hostabi.RingSize]byte
}

func newOutput(ring *hostabi.Ring, emit func(Stream, []byte), fail func(error)) *output {
	return &output{
		ring:  ring,
		emit:  emit,
		kick:  make(chan struct{}, 1),
		syncs: make(chan chan<- error),
		quit:  make(chan struct{}),
		gone:  make(chan struct{}),
		fail:  fail,
	}
}

// run takes output until quit is closed: at once, but at least a pause after it last did, so that a
// guest that prints much rings rarely. A pause in which nothing is printed wakes nobody.
func (o *output) run() {
	defer close(o.gone)
	pause := time.NewTimer(outputPause)
	pause.Stop()
	var taken time.Time // when something was taken last
	take := func() error {
		taken = time.Now()
		return o.drain()
	}
	kick := o.kick // nil while a pause has to pass first
	for {
		var err error
		select {
		case <-kick:
			if rest := outputPause - time.Since(taken); rest > 0 {
				pause.Reset(rest)
				kick = nil
			} else {
				err = take()
			}
		case <-pause.C:
			kick = o.kick
			err = take()
		case done := <-o.syncs:
			done <- take()
		case <-o.quit:
			return
		}
		if err != nil {
			o.fail(err)
		}
	}
}

// soon has what is in the ring taken soon.
func (o *output) soon() {
	select {
	case o.kick <- struct{}{}:
	default:
	}
}

// flush returns when all that was in the ring has been handed on, or abandon is closed.
func (o *output) flush(abandon <-chan struct{}) error {
	done := make(chan error, 1)
	select {
	case o.syncs <- done:
	case <-abandon:
		return nil
	}
	select {
	case err := <-done:
		return err
	case <-abandon:
		return nil
	}
}

// drain hands on what is in the ring. A frame is copied before it is looked at: the guest
// can still write to the ring.
func (o *output) drain() error {
	for {
		head := atomic.LoadUint32(&o.ring.Head)
		n := head - o.tail
		if n == 0 {
			return nil
		}
		if n > hostabi.RingSize {
			return fmt.Errorf("output %w: head %#x is %d bytes ahead of tail %#x", errRing, head, n, o.tail)
		}
		at := o.tail % hostabi.RingSize
		first := copy(o.buf[:n], o.ring.Data[at:])
		copy(o.buf[first:n], o.ring.Data[:])
		o.tail = head
		atomic.StoreUint32(&o.ring.Tail, head)
		if err := o.hand(o.buf[:n]); err != nil {
			return err
		}
	}
}

// hand calls emit for each run of frames of one stream, payloads moved together in place.
func (o *output) hand(b []byte) error {
	var stream Stream
	run := b[:0]
	for len(b) > 0 {
		if len(b) < frameHeader {
			return fmt.Errorf("output %w: %d bytes where a frame should begin", errRing, len(b))
		}
		h := binary.LittleEndian.Uint32(b)
		s, n := Stream(h>>24), h&0xffffff
		if s != Stdout && s != Stderr || n > hostabi.MaxFrame || uint64(n) > uint64(len(b)-frameHeader) {
			return fmt.Errorf("output %w: frame of %d bytes for stream %d, %d bytes follow", errRing, n, s, len(b)-frameHeader)
		}
		if s != stream {
			if len(run) > 0 {
				o.emit(stream, run)
			}
			stream, run = s, b[:0]
		}
		run = append(run, b[frameHeader:frameHeader+n]...)
		b = b[frameHeader+n:]
	}
	if len(run) > 0 {
		o.emit(stream, run)
	}
	return nil
}
