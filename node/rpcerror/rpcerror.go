// Package rpcerror reads errors of gRPC that were wrapped or joined on their way.
package rpcerror

import (
	"errors"
	"strings"

	"google.golang.org/grpc/status"
)

// Find returns the status that an error is, wraps or is joined from, with all of the error's words
// and without those that gRPC puts around its own ("rpc error: code = ..."). ok: there is one.
func Find(err error) (st *status.Status, ok bool) {
	var inner interface {
		error
		GRPCStatus() *status.Status
	}
	if !errors.As(err, &inner) {
		return nil, false
	}
	st = inner.GRPCStatus()
	return status.New(st.Code(), strings.ReplaceAll(err.Error(), inner.Error(), st.Message())), true
}

// Text is an error's words, without those of gRPC.
func Text(err error) string {
	if st, ok := Find(err); ok && st.Message() != "" {
		return st.Message()
	}
	return err.Error()
}
