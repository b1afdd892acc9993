package main

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"time"
)

// pumpTime is how long the link's own rate is measured.
const pumpTime = time.Second

// pump returns how many bytes a second one TCP connection carries from A to B, and nothing else
// is done with them, and what that takes of processors at both ends for a byte, seconds.
func (r *rig) pump(ctx context.Context) (rate, used float64, err error) {
	var l net.Listener
	if err := r.pair.B.Do(func() (err error) {
		l, err = net.Listen("tcp", r.pair.B.Address+":0")
		return err
	}); err != nil {
		return 0, 0, err
	}
	defer l.Close()
	var out net.Conn
	if err := r.pair.A.Do(func() (err error) {
		out, err = (&net.Dialer{}).DialContext(ctx, "tcp", l.Addr().String())
		return err
	}); err != nil {
		return 0, 0, err
	}
	defer out.Close()
	in, err := l.Accept()
	if err != nil {
		return 0, 0, err
	}
	defer in.Close()
	got := make(chan int64)
	go func() {
		n, _ := io.Copy(io.Discard, in)
		got <- n
	}()
	block := make([]byte, 1<<18)
	rand.Read(block)
	before, begin := cpuTime(), time.Now()
	for err == nil && time.Since(begin) < pumpTime {
		_, err = out.Write(block)
	}
	err = errors.Join(err, out.Close())
	n := <-got // what arrived, when all has
	took := time.Since(begin).Seconds()
	return float64(n) / took, (cpuTime() - before).Seconds() / float64(n), err
}
