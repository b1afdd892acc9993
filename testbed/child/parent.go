package child

import (
	"os"
	"time"
)

// WithParent calls f, once, when the process that started this one is gone. A make, a go run
// or a go test that is killed tells nobody, and what it started would go on alone.
func WithParent(f func()) {
	parent := os.Getppid()
	go func() {
		for os.Getppid() == parent { // an orphan is given to another (getppid(2))
			time.Sleep(200 * time.Millisecond)
		}
		f()
	}()
}
