package toolchain

import (
	"runtime"
	"slices"
	"sync"
)

// Cores give each core of this machine one job at a time. Of those that wait the largest goes first, so
// that none is left over when the others have ended.
type cores struct {
	mu      sync.Mutex
	busy    int
	waiting []*job
}

type job struct {
	size int64
	turn chan struct{} // closed when it is this job's
}

// do runs f when a core is free.
func (c *cores) do(size int64, f func() error) error {
	c.take(size)
	defer c.release()
	return f()
}

func (c *cores) take(size int64) {
	c.mu.Lock()
	if c.busy < runtime.NumCPU() {
		c.busy++
		c.mu.Unlock()
		return
	}
	j := &job{size, make(chan struct{})}
	c.waiting = append(c.waiting, j)
	c.mu.Unlock()
	<-j.turn
}

// release hands the core on, or frees it.
func (c *cores) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == 0 {
		c.busy--
		return
	}
	next := 0
	for i, j := range c.waiting {
		if j.size > c.waiting[next].size {
			next = i
		}
	}
	close(c.waiting[next].turn)
	c.waiting = slices.Delete(c.waiting, next, next+1)
}

// onCore runs a program when a core is free for it.
func (p *pipeline) onCore(size int64, program string, args ...string) error {
	return p.cores.do(size, func() error { return p.run(p.ctx, program, args...) })
}
