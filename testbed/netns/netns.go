// Package netns makes pairs of network namespaces, joined by a link whose rate and delay can
// be set. They have no names, so nothing of them outlives the processes in them, and the link
// is reached from nowhere else.
package netns

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A Namespace is a network of its own.
type Namespace struct {
	Address string // its end of the link, RFC 5737
	file    *os.File
}

// newNamespace makes one with nothing but a loopback device. Its thread is not used again, so
// it ends with the goroutine.
func newNamespace(address string) (*Namespace, error) {
	n := &Namespace{Address: address}
	err := onThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("make a network namespace: %w", err)
		}
		var err error
		n.file, err = os.Open("/proc/thread-self/ns/net")
		return err
	})
	if err != nil {
		return nil, err
	}
	return n, n.run("ip", "link", "set", "lo", "up")
}

// Do calls f on a thread in the namespace: what it opens and starts belongs there.
func (n *Namespace) Do(f func() error) error {
	return onThread(func() error {
		if err := n.Enter(); err != nil {
			return err
		}
		return f()
	})
}

// Enter moves the calling thread into the namespace for good.
func (n *Namespace) Enter() error {
	if err := unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter a network namespace: %w", err)
	}
	return nil
}

// run runs a command in the namespace.
func (n *Namespace) run(argv ...string) error {
	return n.Do(func() error {
		out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, strings.TrimSpace(string(out)))
		}
		return nil
	})
}

// onThread calls f on a thread that ends with it.
func onThread(f func() error) error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread()
		result <- f()
	}()
	return <-result
}

// A Pair is two namespaces and the link between them.
type Pair struct {
	A, B *Namespace
	slow *slow // nil: no delay
}

// wire is the name of either end of the link.
const wire = "wire"

// New makes a pair whose link carries what the machine can. It needs root.
func New() (*Pair, error) {
	p := new(Pair)
	err := p.make()
	if err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

func (p *Pair) make() error {
	var err error
	if p.A, err = newNamespace("192.0.2.1"); err != nil {
		return err
	}
	if p.B, err = newNamespace("192.0.2.2"); err != nil {
		return err
	}
	other := fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), p.B.file.Fd())
	if err := p.A.run("ip", "link", "add", wire, "type", "veth", "peer", "name", wire, "netns", other); err != nil {
		return err
	}
	for _, n := range []*Namespace{p.A, p.B} {
		if err := errors.Join(
			n.run("ip", "address", "add", n.Address+"/30", "dev", wire),
			n.run("ip", "link", "set", wire, "up"),
			// What is delayed comes back on another device than it would leave by.
			n.set("/proc/sys/net/ipv4/conf/all/rp_filter", "0"),
			n.set("/proc/sys/net/ipv4/conf/default/rp_filter", "0"),
		); err != nil {
			return err
		}
	}
	return nil
}

// set writes one of the namespace's settings.
func (n *Namespace) set(path, value string) error {
	return n.Do(func() error { return os.WriteFile(path, []byte(value), 0o644) })
}

// Close lets go of the pair. It goes with the last process in it.
func (p *Pair) Close() {
	p.Hurry()
	for _, n := range []*Namespace{p.A, p.B} {
		if n != nil && n.file != nil {
			n.file.Close()
		}
	}
}

// Shape limits what the link carries in either direction, headers included, as a switch does
// whose queue holds 5 ms. 0 is no limit.
func (p *Pair) Shape(bitsPerSecond int64) error {
	for _, n := range []*Namespace{p.A, p.B} {
		argv := []string{"tc", "qdisc", "replace", "dev", wire, "root"}
		if bitsPerSecond == 0 {
			argv = append(argv, "pfifo_fast")
		} else {
			// The bucket holds the largest packet that a sender makes, or 0.2 ms.
			burst := max(70_000, bitsPerSecond/8/5000)
			argv = append(argv, "tbf", "rate", fmt.Sprintf("%dbit", bitsPerSecond),
				"burst", fmt.Sprint(burst), "latency", "5ms")
		}
		if err := n.run(argv...); err != nil {
			return err
		}
	}
	return nil
}

// Sent returns how many bytes have left the namespace by the link, headers included.
func (n *Namespace) Sent() (int64, error) {
	var table []byte
	err := n.Do(func() (err error) {
		table, err = os.ReadFile("/proc/thread-self/net/dev")
		return err
	})
	if err != nil {
		return 0, err
	}
	return sent(string(table))
}

// sent finds the link's count in a table: proc_pid_net(5), /proc/pid/net/dev.
func sent(table string) (int64, error) {
	for line := range strings.Lines(table) {
		name, counts, found := strings.Cut(line, ":")
		if !found || strings.TrimSpace(name) != wire {
			continue
		}
		const txBytes = 8
		if fields := strings.Fields(counts); len(fields) > txBytes {
			return strconv.ParseInt(fields[txBytes], 10, 64)
		}
	}
	return 0, fmt.Errorf("no device %s in %q", wire, table)
}
