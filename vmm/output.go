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
	// firstPause and longestPause are how long the guest's writes gather after some were taken: the
	// longer, the longer it has been writing.
	firstPause   = time.Millisecond
	longestPause = 16 * time.Millisecond
	// muchOutput is taken in one pause from a guest that may fill the ring in the next one, bytes.
	muchOutput = hostabi.RingSize / 4
)

// An output takes frames from the guest's output ring. Its goroutine alone calls emit.
type output struct {
	ring *hostabi.Ring
	emit func(Stream, []byte)

	kick  chan struct{}     // the ring has something
	hurry chan struct{}     // and the guest adds nothing for now
	syncs chan chan<- error // take everything, then answer
	quit  chan struct{}     // closed: end the goroutine
	gone  chan struct{}     // closed: it has ended
	fail  func(error)       // the guest wrote nonsense

	tail   uint32 // up to where it was taken; the guest can write to ring.Tail
	gather bool   // the goroutine looks by itself when a timer fires: the guest is not to ring
	buf    [hostabi.RingSize]byte
}

func newOutput(ring *hostabi.Ring, emit func(Stream, []byte), fail func(error)) *output {
	return &output{
		ring:  ring,
		emit:  emit,
		kick:  make(chan struct{}, 1),
		hurry: make(chan struct{}, 1),
		syncs: make(chan chan<- error),
		quit:  make(chan struct{}),
		gone:  make(chan struct{}),
		fail:  fail,
	}
}

// run takes output until quit is closed. What a guest writes that was silent for long is taken at once.
// What follows gathers, and is taken at the end of each pause, up to one in which nothing was
// written. In between the guest does not ring: each time that it does, and that this goroutine wakes,
// costs some of Go's threads more than what they do for it.
func (o *output) run() {
	defer close(o.gone)
	timer := time.NewTimer(longestPause) // runs while o.gather is set
	timer.Stop()
	pause := firstPause
	ended := o.tail     // at the end of the last pause
	var taken time.Time // when something was taken last
	take := func() error {
		before := o.tail
		err := o.drain()
		if o.tail != before {
			taken = time.Now()
		}
		return err
	}
	gather := func(d time.Duration) {
		o.gather = true
		timer.Reset(d)
	}
	for {
		var err error
		select {
		case <-o.kick:
			since := time.Since(taken)
			switch {
			case o.gather:
			case since < longestPause:
				gather(pause - since)
			default:
				pause = firstPause
				err = take()
			}
		case <-o.hurry:
			if atomic.LoadUint32(&o.ring.Head) != o.tail {
				gather(firstPause - time.Since(taken))
			}
		case <-timer.C:
			err = take()
			n := o.tail - ended
			ended = o.tail
			switch {
			case n == 0:
				o.gather = false
				o.show()
				err = take() // what was written before that was seen
			case n > muchOutput:
				pause = firstPause
				gather(pause)
			default:
				pause = min(2*pause, longestPause)
				gather(pause)
			}
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
func (o *output) soon() { nudge(o.kick) }

// idle has what is in the ring taken without gathering more: the guest waits.
func (o *output) idle() {
	// One byte short of empty is empty, as show has it.
	if atomic.LoadUint32(&o.ring.Head)-atomic.LoadUint32(&o.ring.Tail) > 1 {
		nudge(o.hurry)
	}
}

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
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
		o.show()
		if err := o.hand(o.buf[:n]); err != nil {
			return err
		}
	}
}

// show tells the guest what was taken. It rings when it writes to an empty ring, so where it is not
// to ring, the ring never looks quite empty.
func (o *output) show() {
	shown := o.tail
	if o.gather {
		shown--
	}
	atomic.StoreUint32(&o.ring.Tail, shown)
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
