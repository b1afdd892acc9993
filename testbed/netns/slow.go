package netns

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// A slow link delays what goes in one direction. Not every kernel has a queue that delays
// (netem), so packets pass through this process: two TUN devices (Documentation/networking/
// tuntap.rst), one in each namespace.
type slow struct {
	from     *Namespace
	to       *Namespace
	out, in  *os.File
	finished chan struct{}
}

// A packet is one on its way.
type packet struct {
	due  time.Time
	data []byte
}

// back is the name of the devices.
const back = "back"

// Slow has the link's round trip take longer by d. All of it passes on the way from one end,
// which should not be the one that sends much: each packet costs two system calls.
func (p *Pair) Slow(from *Namespace, d time.Duration) error {
	p.Hurry()
	to := p.A
	if from == p.A {
		to = p.B
	}
	s := &slow{from: from, to: to, finished: make(chan struct{})}
	var err error
	if s.out, err = openTUN(from); err != nil {
		return err
	}
	if s.in, err = openTUN(to); err != nil {
		s.out.Close()
		return err
	}
	if err := from.run("ip", "route", "add", to.Address+"/32", "dev", back, "src", from.Address); err != nil {
		s.out.Close()
		s.in.Close()
		return err
	}
	packets := make(chan packet, 1<<14)
	go s.take(packets, d)
	go s.give(packets)
	p.slow = s
	return nil
}

// Hurry ends the delay. The device, and with it the route, is gone with its descriptor.
func (p *Pair) Hurry() {
	if p.slow == nil {
		return
	}
	p.slow.out.Close()
	<-p.slow.finished
	p.slow.in.Close()
	p.slow = nil
}

// openTUN makes a device in a namespace.
func openTUN(n *Namespace) (*os.File, error) {
	var f *os.File
	err := n.Do(func() error {
		fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("open /dev/net/tun: %w", err)
		}
		req, err := unix.NewIfreq(back)
		if err != nil {
			return err
		}
		req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, req); err != nil {
			unix.Close(fd)
			return fmt.Errorf("make a TUN device: %w", err)
		}
		f = os.NewFile(uintptr(fd), "tun")
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := n.run("ip", "link", "set", back, "up"); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// take reads what comes, until the device is closed.
func (s *slow) take(to chan<- packet, d time.Duration) {
	defer close(to)
	buf := make([]byte, 1<<16)
	for {
		n, err := s.out.Read(buf)
		if err != nil {
			return
		}
		select {
		case to <- packet{time.Now().Add(d), append([]byte(nil), buf[:n]...)}:
		default: // too many are on their way: a network drops them
		}
	}
}

// give writes each packet when it is due. It sleeps in the kernel: Go's timers are not
// exact enough.
func (s *slow) give(from <-chan packet) {
	runtime.LockOSThread()
	defer close(s.finished)
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	for p := range from {
		if left := time.Until(p.due); left > 0 {
			t := unix.NsecToTimespec(int64(left))
			_ = unix.Nanosleep(&t, nil) // woken early, it comes early
		}
		if _, err := s.in.Write(p.data); errors.Is(err, os.ErrClosed) {
			return
		}
	}
}
