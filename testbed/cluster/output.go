package cluster

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"regexp"
	"sync"
)

// An Output collects what a process writes, and lets others wait for parts of it.
type Output struct {
	copy io.Writer // nil, or gets all of it too

	mu      sync.Mutex
	buf     bytes.Buffer
	changed chan struct{} // closed, and replaced, when more has come
	ended   bool
}

// NewOutput returns an empty one. Where w is not nil it gets a copy of all.
func NewOutput(w io.Writer) *Output { return &Output{copy: w, changed: make(chan struct{})} }

func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.buf.Write(p)
	close(o.changed)
	o.changed = make(chan struct{})
	if o.copy != nil {
		return o.copy.Write(p)
	}
	return len(p), nil
}

// end says that no more will come.
func (o *Output) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	close(o.changed)
	o.changed = make(chan struct{})
}

func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// Await waits until text is there.
func (o *Output) Await(ctx context.Context, text string) error {
	_, err := o.AwaitMatch(ctx, regexp.MustCompile(regexp.QuoteMeta(text)))
	return err
}

// AwaitLines waits until n whole lines are there, 1000 at most (regexp/syntax).
func (o *Output) AwaitLines(ctx context.Context, n int) error {
	_, err := o.AwaitMatch(ctx, regexp.MustCompile(fmt.Sprintf(`(?:.*\n){%d}`, n)))
	return err
}

// AwaitMatch waits until a pattern matches, and returns the first match with its groups.
func (o *Output) AwaitMatch(ctx context.Context, pattern *regexp.Regexp) ([]string, error) {
	for {
		o.mu.Lock()
		text, changed, ended := o.buf.String(), o.changed, o.ended
		o.mu.Unlock()
		if match := pattern.FindStringSubmatch(text); match != nil {
			return match, nil
		}
		if ended {
			return nil, fmt.Errorf("the output ended before %q came:\n%s", pattern, text)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for %q: %w; so far:\n%s", pattern, context.Cause(ctx), text)
		}
	}
}
