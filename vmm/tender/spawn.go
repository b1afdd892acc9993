package tender

import (
	"os/exec"
	"runtime"
	"sync"
)

// PR_SET_PDEATHSIG (prctl(2)) kills a child when the *thread* that made it ends, and Go ends
// threads as it likes. So one thread that lives as long as the process makes all children.
var spawner = sync.OnceValue(func() chan<- spawnRequest {
	requests := make(chan spawnRequest)
	go func() {
		runtime.LockOSThread()
		for r := range requests {
			r.done <- r.cmd.Start()
		}
	}()
	return requests
})

type spawnRequest struct {
	cmd  *exec.Cmd
	done chan<- error
}

// spawn starts cmd from the thread that lives for ever.
func spawn(cmd *exec.Cmd) error {
	done := make(chan error)
	spawner() <- spawnRequest{cmd, done}
	return <-done
}
