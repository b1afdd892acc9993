package vmproc

import (
	"errors"

	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/vmm"
)

// kinds are the errors that keep their identity on the way to the daemon.
var kinds = map[pb.ProcessErrorKind]error{
	pb.ProcessErrorKind_PROCESS_ERROR_KIND_EXITED:  vmm.ErrExited,
	pb.ProcessErrorKind_PROCESS_ERROR_KIND_LEFT:    vmm.ErrLeft,
	pb.ProcessErrorKind_PROCESS_ERROR_KIND_NO_KVM:  vmm.ErrNoKVM,
	pb.ProcessErrorKind_PROCESS_ERROR_KIND_STALLED: ErrStalled,
	pb.ProcessErrorKind_PROCESS_ERROR_KIND_QUIESCE: ErrQuiesce,
	pb.ProcessErrorKind_PROCESS_ERROR_KIND_STREAM:  ErrClosed,
}

func errorToWire(err error) *pb.ProcessError {
	if err == nil {
		return nil
	}
	w := &pb.ProcessError{Text: err.Error()}
	for kind, sentinel := range kinds {
		if errors.Is(err, sentinel) {
			w.Kind = kind
		}
	}
	return w
}

// A remoteError is what a process said.
type remoteError struct {
	text string
	is   error
}

func (e *remoteError) Error() string { return e.text }
func (e *remoteError) Unwrap() error { return e.is }

func errorFromWire(w *pb.ProcessError) error {
	if w == nil {
		return nil
	}
	return &remoteError{text: w.Text, is: kinds[w.Kind]}
}
