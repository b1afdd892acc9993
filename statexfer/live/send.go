package live

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/migrated/migrated/statexfer"
)

// A source is the sending side of one move.
type source struct {
	conn   *gatherer
	guest  Guest
	plan   Plan
	pace   pace
	sender *statexfer.Sender
	report func(Progress)
	last   Progress
	told   time.Time // when that was reported last
	still  bool      // the guest stands still: nobody must be kept busy with reports
	mode   Mode      // as chosen
	why    string
	canLog bool
	looked time.Time        // when the log began, or was read to see how much the guest writes
	base   *statexfer.Offer // what the target has
	used   statexfer.Bitmap // pages that were in use when it began
	wired  uint64           // bytes on the wire when the last round began
	link   float64          // bytes of memory a second, as measured last; 0: not yet
	asked  bool             // the target was asked to get ready to start the guest
	armed  bool             // and is
}

func (s *source) empty() statexfer.Bitmap {
	return statexfer.NewBitmap(uint64(len(s.guest.Memory())) / statexfer.PageSize)
}

// Send moves a guest's memory over conn to a Receive at its other end, and stops the guest in
// the course of it. On success the guest is stopped; on an error it runs, unless Quiesce
// succeeded: then stopped says so.
func Send(ctx context.Context, conn net.Conn, guest Guest, plan Plan, report func(Progress)) (res *Result, stopped bool, err error) {
	s := &source{conn: newGatherer(conn), guest: guest, plan: plan.withDefaults(), report: report}
	s.pace.plan = s.plan
	if report == nil {
		s.report = func(Progress) {}
	}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	res, stopped, err = s.send(ctx)
	if err != nil && context.Cause(ctx) != nil {
		err = context.Cause(ctx)
	}
	return res, stopped, err
}

func (s *source) send(ctx context.Context) (res *Result, stopped bool, err error) {
	mem := s.guest.Memory()
	pages := uint64(len(mem)) / statexfer.PageSize
	// The log begins while the target gets ready: what is seen of the guest's writes by then need not be waited for.
	s.canLog = s.plan.Mode != Stop && s.guest.LogDirty(true) == nil
	s.looked = time.Now()
	defer func() {
		s.guest.Throttle(0)
		if s.canLog && !stopped { // a guest that is stopped may never run again
			s.guest.LogDirty(false)
		}
	}()
	if s.base, err = statexfer.Agree(s.conn, pages, s.plan.Known); err != nil {
		return nil, false, err
	}
	s.used = statexfer.InUse(mem, s.plan.PageMap)
	s.choose()
	s.sender, err = statexfer.NewSender(s.conn, mem, statexfer.Options{
		Compress: s.plan.Compress, Bandwidth: s.plan.Bandwidth, Base: s.base, Anonymous: true, PageMap: s.plan.PageMap,
		Again:    s.mode == PreCopy || s.mode == Hybrid,
		Progress: func(st statexfer.Stats) { s.tell(func(p *Progress) { p.Memory = st }) },
	})
	if err != nil {
		return nil, false, err
	}
	defer s.sender.Close()
	left := statexfer.NewBitmap(pages)
	if s.mode == PreCopy || s.mode == Hybrid {
		if err := s.rounds(ctx, left); err != nil {
			return nil, false, err
		}
	}
	return s.end(ctx, left)
}

// A guest's writes are watched before a way is chosen: at a glance, and for longer only where it then
// writes so much that it could matter.
const (
	glance     = 3 * time.Millisecond
	sampleTime = 20 * time.Millisecond
	muchOfLink = 0.25
)

// choose decides how to begin.
func (s *source) choose() {
	used := s.used.Count()
	var dirtyRate float64
	if link, seen := s.plan.carries(); s.canLog && s.plan.Mode == Auto && s.plan.PostCopy && seen {
		if time.Since(s.looked) > sampleTime { // in which it may have written the same again and again
			s.writes(0, false)
		}
		if dirtyRate = s.writes(glance, false); dirtyRate*statexfer.PageSize > muchOfLink*link {
			dirtyRate = s.writes(sampleTime, true)
		}
	}
	s.mode, s.why = choose(s.plan, used, dirtyRate, s.canLog)
	s.tell(func(p *Progress) {
		p.Mode, p.Why, p.Remaining, p.DirtyRate = s.mode, s.why, used, dirtyRate
	})
}

// writes is how many pages a second the guest has written since that was looked at last, which is to be so long
// ago. None were sent, so what it wrote needs no note. closely: what it has only read does not count.
func (s *source) writes(watched time.Duration, closely bool) float64 {
	set := s.empty()
	var before probe
	if closely {
		before = newProbe(s.guest.Memory(), s.used)
	}
	time.Sleep(watched - time.Since(s.looked))
	if s.guest.Dirty(set) != nil {
		return 0
	}
	rate := float64(set.Count()) / time.Since(s.looked).Seconds()
	s.looked = time.Now()
	return rate * before.changed(s.guest.Memory(), set)
}

// rounds sends all, and what is written meanwhile, until it is time to stop. left is what is
// known to be missing then.
func (s *source) rounds(ctx context.Context, left statexfer.Bitmap) error {
	var set statexfer.Bitmap // nil: all
	for {
		sent := s.last.Remaining
		if set != nil {
			sent = set.Count()
		}
		begin := time.Now()
		if err := s.round(ctx, set); err != nil {
			return err
		}
		took := time.Since(begin)
		s.arm()
		clear(left)
		if err := s.guest.Dirty(left); err != nil {
			return err
		}
		n := left.Count()
		step := s.pace.next(sent, took, n)
		wire := s.sender.Stats().WireBytes
		s.tell(func(p *Progress) {
			p.Memory = s.sender.Stats()
			p.Rate = float64(wire-s.wired) / took.Seconds()
			p.Remaining, p.DirtyRate = n, float64(n)/took.Seconds()
			p.ExpectedDowntime, p.Throttle = s.pace.expected(n), s.pace.throttle
		})
		s.wired = wire
		switch {
		case step == postpone || s.mode == Hybrid:
			s.mode = Hybrid
			s.why = s.because(s.pace.reason)
			s.tell(func(p *Progress) { p.Mode, p.Why = s.mode, s.why })
			return nil
		case step == finish:
			s.why = s.because(s.pace.reason)
			return nil
		case step == slowDown:
			s.guest.Throttle(s.pace.throttle)
		}
		if set == nil {
			set = s.empty()
		}
		copy(set, left)
	}
}

func (s *source) because(reason string) string {
	if reason == "" {
		return s.why
	}
	rounds := "rounds"
	if s.pace.round == 1 {
		rounds = "round"
	}
	why := fmt.Sprintf("%s; after %d %s %s", s.why, s.pace.round, rounds, reason)
	if s.pace.throttle > 0 {
		why += fmt.Sprintf(", held back for %.0f %% of the time", 100*s.pace.throttle)
	}
	return why
}

// end stops the guest and sends what is missing, or leaves it to post-copy.
func (s *source) end(ctx context.Context, left statexfer.Bitmap) (res *Result, stopped bool, err error) {
	res = &Result{}
	last := left // what is sent while the guest stands still
	s.arm()
	switch s.mode {
	case Stop:
		last = nil
	case PostCopy, Hybrid:
		// The records of the guest's stack and what it needs first are what it writes last. So
		// the log begins anew here, and what it names in the end goes with the transfer.
		if s.mode == PostCopy {
			copy(left, s.used)
			if err := s.nameBase(ctx, left); err != nil {
				return nil, false, err
			}
		}
		s.awaitStreams(ctx)
		if err := s.awaitArmed(); err != nil {
			return nil, false, err
		}
		if s.canLog {
			if err := s.guest.Dirty(left); err != nil {
				return nil, false, err
			}
			// It takes time for each page, which the guest need not wait for.
			if err := s.later(ctx, left); err != nil {
				return nil, false, err
			}
			if err := s.hot(ctx, left); err != nil {
				return nil, false, err
			}
			if last, err = s.lately(ctx, left); err != nil {
				return nil, false, err
			}
		} else {
			last = s.empty()
		}
		res.Later = left
	}
	if err := s.awaitArmed(); err != nil {
		return nil, false, err
	}
	if err := s.guest.Quiesce(ctx); err != nil {
		return nil, false, err
	}
	s.still = true
	if last != nil && s.plan.Bandwidth == 0 {
		s.conn.hold()
	}
	if last != nil && s.canLog {
		if err := s.guest.Dirty(last); err != nil {
			return nil, true, err
		}
	}
	if res.Later != nil && !s.canLog {
		// What it has touched since is not known, but for what is in use now.
		copy(left, statexfer.InUse(s.guest.Memory(), s.plan.PageMap))
		if err := s.later(ctx, left); err != nil {
			return nil, true, err
		}
	}
	begin, before := time.Now(), s.sender.Stats().RawBytes
	if err := s.sender.Round(ctx, last); err != nil {
		return nil, true, err
	}
	if res.Later != nil {
		res.Later.Remove(last)
	}
	stats, digest, err := s.sender.End(ctx)
	if err != nil {
		return nil, true, err
	}
	if s.plan.Hashes {
		if _, err := statexfer.OfferOf(s.sender.Leaves()).WriteTo(s.conn); err != nil {
			return nil, true, err
		}
	}
	if s.plan.Behind != nil {
		if _, err := s.conn.Write(s.plan.Behind()); err != nil {
			return nil, true, err
		}
	}
	// Whoever closes a stream into which the other side still writes may lose what is on its way.
	if err := s.allInPlace(); err != nil {
		return nil, true, err
	}
	s.tell(func(p *Progress) {
		p.Memory, p.Mode, p.Why, p.Remaining = stats, s.mode, s.why, res.Later.Count()
	})
	if s.link == 0 {
		s.measure(begin, before)
	}
	res.Progress, res.Digest, res.Leaves, res.Link = s.last, digest, s.sender.Leaves(), s.link
	return res, true, nil
}

// aheadPatience is how long a guest runs on for streams that are being opened.
const aheadPatience = 250 * time.Millisecond

func (s *source) awaitStreams(ctx context.Context) {
	if s.plan.Ahead == nil {
		return
	}
	select {
	case <-s.plan.Ahead:
	case <-time.After(aheadPatience):
	case <-ctx.Done():
	}
}

// arm has the target get ready to start the guest.
func (s *source) arm() {
	if s.plan.Arm != nil && !s.asked {
		s.asked = true
		s.plan.Arm()
	}
}

// awaitArmed waits until it is. The guest runs on: it would stand still for a target that is frozen.
func (s *source) awaitArmed() error {
	for s.plan.Arm != nil && !s.armed {
		got, err := s.word()
		if err != nil {
			return fmt.Errorf("wait until the target can start the guest: %w", err)
		}
		if got != armed {
			return fmt.Errorf("round %d is said to be in place again", got)
		}
		s.armed = true
	}
	return nil
}

// later leaves the pages of a set to post-copy, but for those that are sent after all.
func (s *source) later(ctx context.Context, set statexfer.Bitmap) error {
	rounds := s.sender.Stats().Rounds
	if err := s.sender.Later(ctx, set); err != nil {
		return err
	}
	if s.sender.Stats().Rounds == rounds { // there are none
		return nil
	}
	return s.inPlace()
}

const (
	hotRounds = 3
	hotPages  = 256
)

// hot sends what the guest writes all the time and needs at once at the target, until little of it is
// left. And the sender has its buffers then: the first pages that it sends take much longer than others.
// left is what post-copy brings.
func (s *source) hot(ctx context.Context, left statexfer.Bitmap) error {
	for range hotRounds {
		set := s.empty()
		if err := s.guest.Dirty(set); err != nil {
			return err
		}
		if set.Count() > hotPages {
			// Of a guest that writes all over, those are hot that it writes again at once.
			time.Sleep(glance)
			again := s.empty()
			if err := s.guest.Dirty(again); err != nil {
				return err
			}
			left.Add(set)
			left.Add(again)
			set.Keep(again)
			s.first(set, hotPages)
		}
		if err := s.round(ctx, set); err != nil {
			return err
		}
		left.Remove(set)
		if set.Count() <= statexfer.FewPages {
			break
		}
	}
	return s.later(ctx, left)
}

// first takes all pages out of a set but so many.
func (s *source) first(set statexfer.Bitmap, n int) {
	pages := uint64(len(s.guest.Memory())) / statexfer.PageSize
	for p := set.Next(0, pages); p < pages; p = set.Next(p+1, pages) {
		if n--; n < 0 {
			set.Clear(p)
		}
	}
}

// lately returns which pages the guest has written lately that the target would have as they were. What it
// writes now comes on top of them, and all has to be sent while it stands still: so what is much is left
// to post-copy. What is left to that already needs no word.
func (s *source) lately(ctx context.Context, left statexfer.Bitmap) (statexfer.Bitmap, error) {
	for attempt := 1; ; attempt++ {
		set := s.empty()
		if err := s.guest.Dirty(set); err != nil {
			return nil, err
		}
		set.Remove(left)
		if attempt == hotRounds || set.Count() <= hotPages {
			return set, nil
		}
		left.Add(set)
		if err := s.later(ctx, left); err != nil {
			return nil, err
		}
	}
}

// nameBase names the pages that the target has, and takes them out of a set that it is to get.
func (s *source) nameBase(ctx context.Context, left statexfer.Bitmap) error {
	if s.base == nil || !s.canLog {
		return nil
	}
	there := s.base.Among(left, s.guest.Memory())
	left.Remove(there)
	return s.round(ctx, there)
}

// round sends the pages of a set and waits until they are in place.
func (s *source) round(ctx context.Context, set statexfer.Bitmap) error {
	begin, before := time.Now(), s.sender.Stats().RawBytes
	if err := s.sender.Round(ctx, set); err != nil {
		return err
	}
	if err := s.inPlace(); err != nil {
		return err
	}
	s.measure(begin, before)
	return nil
}

// measureBytes is how much memory has to go before the time that it takes says what the link
// carries.
const measureBytes = 4 << 20

// measure notes what the link has carried since a moment when so many bytes had gone.
func (s *source) measure(begin time.Time, before uint64) {
	if n := s.sender.Stats().RawBytes - before; n >= measureBytes {
		s.link = float64(n) / time.Since(begin).Seconds()
	}
}

// inPlace waits until the target has all rounds in place.
func (s *source) inPlace() error {
	want := uint32(s.sender.Stats().Rounds)
	for {
		switch got, err := s.hear(); {
		case err != nil:
			return err
		case got == want:
			return nil
		case got > want:
			return fmt.Errorf("round %d is said to be in place, %d were sent", got, want)
		}
	}
}

// allInPlace waits until it has, and has checked the whole where it is to say so.
func (s *source) allInPlace() error {
	if err := s.inPlace(); err != nil || !s.plan.Confirm {
		return err
	}
	got, err := s.hear()
	if err == nil && got != confirmed {
		err = fmt.Errorf("round %d is said to be in place after the last", got)
	}
	return err
}

// hear returns how many rounds are in place, or confirmed.
func (s *source) hear() (uint32, error) {
	for {
		got, err := s.word()
		if err != nil {
			return 0, fmt.Errorf("wait until a round is in place: %w", err)
		}
		if got != armed {
			return got, nil
		}
		s.armed = true
	}
}

func (s *source) word() (uint32, error) {
	if err := s.conn.flush(); err != nil {
		return 0, err
	}
	var b [4]byte
	if _, err := io.ReadFull(s.conn, b[:]); err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(b[:]), nil
}

// stillEvery is how often is reported at most while the guest stands still.
const stillEvery = 100 * time.Millisecond

func (s *source) tell(change func(*Progress)) {
	change(&s.last)
	if now := time.Now(); !s.still || now.Sub(s.told) >= stillEvery {
		s.told = now
		s.report(s.last)
	}
}
