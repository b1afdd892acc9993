package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/migrated/migrated/statexfer"
)

// An Area is memory whose missing pages are placed while others already use it: vmm/userfault.
type Area interface {
	// Fault waits until somebody waits for a page. It fails when the area is closed.
	Fault() (page uint64, err error)
	// Copy places pages from a number on; false: one of them was there, and it and those behind
	// it were not placed.
	Copy(page uint64, data []byte) (bool, error)
	Zero(page, count uint64) (bool, error)
	Wake(page uint64) error
	Close() error
}

// A Filler is the target of a post-copy: it places pages until none is missing. What it has it
// keeps, whatever becomes of streams and daemons; whoever waits for a page then waits on.
type Filler struct {
	area   Area
	pages  uint64
	report func(Progress)

	mu      sync.Mutex
	missing statexfer.Bitmap
	left    uint64
	leaves  []uint64
	waited  map[uint64]bool // pages that somebody waits for
	faults  uint64          // in all
	demand  net.Conn        // nil: not connected
	attempt uint64          // to connect, the last
	ended   error           // why there are no more faults
	placed  chan struct{}   // has something when nothing is missing any more

	up   chan struct{} // closed by Up
	once sync.Once
}

// NewFiller fills what is missing of memory: later, which must not be there, and which area
// watches. leaves are the hashes of what is there.
func NewFiller(area Area, later statexfer.Bitmap, leaves []uint64, report func(Progress)) *Filler {
	if report == nil {
		report = func(Progress) {}
	}
	f := &Filler{
		area: area, pages: uint64(len(leaves)), report: report,
		missing: later, left: later.Count(), leaves: leaves,
		waited: make(map[uint64]bool), placed: make(chan struct{}, 1), up: make(chan struct{}),
	}
	go f.watch()
	return f
}

// Up says that the guest has come up. What it does not wait for need not come before, and would be in its way.
func (f *Filler) Up() { f.once.Do(func() { close(f.up) }) }

// Faults returns how many pages somebody has waited for.
func (f *Filler) Faults() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.faults
}

// Leaves returns the hash of each page, once nothing is missing. It is not to be changed.
func (f *Filler) Leaves() []uint64 { return f.leaves }

// Missing returns how many pages are still to come.
func (f *Filler) Missing() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.left
}

// watch answers faults: it asks for pages that are missing at the source, and makes others
// zero, which never were anything else.
func (f *Filler) watch() {
	for {
		page, err := f.area.Fault()
		if err == nil {
			err = f.fault(page)
		}
		if err != nil {
			f.mu.Lock()
			f.ended = err
			f.mu.Unlock()
			return
		}
	}
}

func (f *Filler) fault(page uint64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if page >= f.pages {
		return fmt.Errorf("fault at page %d of %d", page, f.pages)
	}
	if !f.missing.Has(page) {
		fresh, err := f.area.Zero(page, 1)
		if err == nil && !fresh { // it has come meanwhile
			err = f.area.Wake(page)
		}
		return err
	}
	f.faults++
	if f.waited[page] {
		return nil
	}
	f.waited[page] = true
	f.ask(page)
	return nil
}

// ask requests a page, if there is a way to the source; else it is requested when there is.
// f.mu is held: a request is short, and a stream that takes nothing has a deadline.
func (f *Filler) ask(page uint64) {
	if f.demand == nil {
		return
	}
	f.demand.SetWriteDeadline(time.Now().Add(askTimeout))
	if _, err := f.demand.Write(appendRequest(nil, page)); err != nil {
		f.demand.Close() // its reader will see it
		f.demand = nil
	}
}

const (
	askTimeout   = 5 * time.Second
	agreeTimeout = 5 * time.Second
)

// Fill takes pages until none is missing, over streams that it opens anew when they break. It
// ends with ctx, and can be called again then. When nothing is missing the source is asked
// whether it agrees; one that is gone is not waited for, as what came has been checked.
func (f *Filler) Fill(ctx context.Context, streams Streams) error {
	for {
		limited, cancel := ctx, context.CancelFunc(func() {})
		if f.complete() {
			limited, cancel = context.WithTimeout(ctx, agreeTimeout)
		}
		done, err := f.connect(limited, streams)
		cancel()
		if done {
			return err
		}
		if limited.Err() != nil && ctx.Err() == nil {
			return f.end()
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if errors.Is(err, errStreams) {
			return err
		}
		select { // they broke
		case <-time.After(reconnectPause):
		case <-ctx.Done():
		}
	}
}

// connect takes pages from one pair of streams.
func (f *Filler) connect(ctx context.Context, streams Streams) (done bool, err error) {
	demand, err := streams.Open(ctx, DemandStream)
	if err != nil {
		return false, fmt.Errorf("%w: %w", errStreams, err)
	}
	defer demand.Close()
	// The source opens its end of the other one when it has heard which attempt this is.
	f.mu.Lock()
	f.attempt++
	demand.SetWriteDeadline(time.Now().Add(askTimeout))
	_, err = demand.Write(appendHello(nil, f.attempt, f.missing, f.pages))
	f.mu.Unlock()
	if err != nil {
		return false, err
	}
	limited, cancel := context.WithTimeout(ctx, pairTimeout)
	push, err := streams.Open(limited, PushStream)
	cancel()
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return false, err // it does not know of this attempt any more
	}
	if err != nil {
		return false, fmt.Errorf("%w: %w", errStreams, err)
	}
	defer push.Close()
	stop := context.AfterFunc(ctx, func() { demand.Close(); push.Close() })
	defer stop()

	f.mu.Lock()
	_, err = push.Write(appendRequest(nil, f.attempt))
	if err == nil {
		f.demand = demand
		for page := range f.waited {
			f.ask(page)
		}
	}
	f.mu.Unlock()
	if err != nil {
		return false, err
	}
	failed := make(chan error, 2)
	go func() { failed <- f.take(push, true) }()
	go func() { failed <- f.take(demand, false) }()
	defer func() {
		f.mu.Lock()
		f.demand = nil
		f.mu.Unlock()
	}()
	if f.complete() {
		f.signal()
	}
	for {
		select {
		case <-f.placed:
			// The reader of the demand stream gets the source's answer.
			if err := f.askToEnd(demand); err != nil {
				return false, err
			}
		case err := <-failed:
			push.Close()
			if !f.complete() { // else the source's answer may be on its way
				demand.Close()
			}
			second := <-failed
			switch {
			case errors.Is(err, errAgreed) || errors.Is(second, errAgreed):
				return true, f.end()
			case errors.Is(err, statexfer.ErrDigest):
				return true, err
			case errors.Is(second, statexfer.ErrDigest):
				return true, second
			}
			return false, err
		}
	}
}

// errAgreed ends a reader when the source has agreed that all is there.
var errAgreed = errors.New("all is there")

func (f *Filler) complete() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.left == 0
}

func (f *Filler) signal() {
	select {
	case f.placed <- struct{}{}:
	default:
	}
}

func (f *Filler) askToEnd(demand net.Conn) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	digest := statexfer.DigestOf(f.leaves)
	_, err := demand.Write(append(appendRequest(nil, complete), digest[:]...))
	return err
}

// end stops watching. Pages that were never anything but zero need no watching.
func (f *Filler) end() error {
	f.report(Progress{Mode: PostCopy})
	return f.area.Close()
}

// take places what one stream brings. On the push stream it says so, and before that when the guest is up.
func (f *Filler) take(conn net.Conn, acknowledge bool) error {
	if acknowledge {
		over := make(chan struct{})
		defer close(over)
		go func() {
			select {
			case <-f.up:
				_, _ = conn.Write([]byte{1}) // the reader sees a stream that broke
			case <-over:
			}
		}()
	}
	r, err := statexfer.NewPageReader(&endReader{Reader: conn, f: f, ends: !acknowledge}, f.pages)
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		pages, err := r.Read()
		if err != nil {
			return err
		}
		if err := f.place(pages); err != nil {
			return err
		}
		if acknowledge {
			if _, err := conn.Write([]byte{1}); err != nil {
				return err
			}
		}
	}
}

// An endReader reads the source's answer to the end, which comes when no page is missing and so
// in place of a frame.
type endReader struct {
	io.Reader
	f    *Filler
	ends bool
}

func (r *endReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if n > 0 && r.ends && r.f.complete() {
		if p[0] == 1 {
			return 0, errAgreed
		}
		return 0, fmt.Errorf("the source's memory has another digest: %w", statexfer.ErrDigest)
	}
	return n, err
}

// place puts pages into memory that are missing. A page that is there already is the guest's.
func (f *Filler) place(p statexfer.Pages) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0 // pages looked at
	for _, r := range p.Runs {
		for page := r.First; page < r.First+r.Count; {
			count := uint64(0) // missing from here on
			for page+count < r.First+r.Count && f.missing.Has(page+count) {
				count++
			}
			if count == 0 {
				page++
				n++
				continue
			}
			var fresh bool
			var err error
			if p.Data == nil {
				fresh, err = f.area.Zero(page, count)
			} else {
				fresh, err = f.area.Copy(page, p.Data[n*statexfer.PageSize:][:count*statexfer.PageSize])
			}
			if err == nil && !fresh {
				err = fmt.Errorf("a page from %d on was there before it came", page)
			}
			if err != nil {
				return err
			}
			for range count {
				f.missing.Clear(page)
				f.leaves[page] = p.Leaves[n]
				delete(f.waited, page)
				f.left--
				page++
				n++
			}
		}
	}
	f.report(Progress{Mode: PostCopy, Remaining: f.left})
	if f.left == 0 {
		f.signal()
	}
	return nil
}
