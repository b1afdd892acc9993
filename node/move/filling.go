package move

import (
	"context"

	"github.com/migrated/migrated/node/vmproc"
)

// A Filling is the first attempt of a target to fetch what is to follow, which begins with the
// transfer: by the time the guest starts, the streams are open.
type Filling struct {
	cancel context.CancelFunc
	done   chan struct{}
	faults uint64
	err    error
}

func beginFilling(ctx context.Context, guest vmproc.VM, s vmproc.Streams) *Filling {
	ctx, cancel := context.WithCancel(ctx)
	f := &Filling{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(f.done)
		f.faults, f.err = guest.Fill(ctx, s, nil)
	}()
	return f
}

// failed says whether it has come to nothing already.
func (f *Filling) failed() bool {
	select {
	case <-f.done:
		return f.err != nil
	default:
		return false
	}
}

// stop ends it. Nothing is placed in memory after that.
func (f *Filling) stop() {
	f.cancel()
	<-f.done
}

// Wait returns as VM.Fill does.
func (f *Filling) Wait(ctx context.Context) (faults uint64, err error) {
	stop := context.AfterFunc(ctx, f.cancel)
	defer stop()
	<-f.done
	f.cancel()
	return f.faults, f.err
}
