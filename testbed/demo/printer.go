package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// indent is what stands before all that belongs to a step.
const indent = "      "

// A printer writes whole lines, from several sources at the same time.
type printer struct {
	begin time.Time
	steps int // begun so far

	mu sync.Mutex
	w  io.Writer
}

func newPrinter(w io.Writer) *printer { return &printer{begin: time.Now(), w: w} }

func (p *printer) line(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.w, format+"\n", args...)
}

// allSteps is how many steps there are.
const allSteps = 7

// step prints a heading, does what it says, and prints how long that took.
func (p *printer) step(title string, do func() error) error {
	p.steps++
	p.line("\n[%d/%d] %s", p.steps, allSteps, title)
	begin := time.Now()
	if err := do(); err != nil {
		return err
	}
	p.line(indent+"took %s", seconds(time.Since(begin)))
	return nil
}

// note prints a line that belongs to the step.
func (p *printer) note(format string, args ...any) { p.line(indent+format, args...) }

// command prints a command as one could type it.
func (p *printer) command(args ...string) {
	var words []string
	for _, a := range args {
		if a == "" || strings.ContainsAny(a, " \t\"'\\$&|;<>()*?#~`") {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		words = append(words, a)
	}
	p.note("$ %s", strings.Join(words, " "))
}

// prefixed returns a writer that prints each line with a mark before it.
func (p *printer) prefixed(mark string) *lineWriter {
	return &lineWriter{emit: func(line string) { p.note("%s%s", mark, line) }}
}

// A lineWriter passes on whole lines. It is written to by one goroutine.
type lineWriter struct {
	emit    func(string)
	pending string
}

func (l *lineWriter) Write(b []byte) (int, error) {
	l.pending += string(b)
	for {
		line, rest, whole := strings.Cut(l.pending, "\n")
		if !whole {
			return len(b), nil
		}
		l.pending = rest
		l.emit(line)
	}
}

// seconds is a duration as a step shows it.
func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
