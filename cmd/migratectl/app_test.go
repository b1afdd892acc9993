package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A daemon that ends is named as such, however its error has come.
func TestExplain(t *testing.T) {
	ended := status.Error(codes.Unavailable, "error reading from server: EOF")
	for _, err := range []error{ended, errors.Join(ended, nil), fmt.Errorf("restore x: %w", ended)} {
		if got := new(app).explain(err); !strings.Contains(got.Error(), "the daemon has ended") {
			t.Errorf("%v: %v", err, got)
		}
	}
	for _, err := range []error{nil, errors.New("plain"), status.Error(codes.NotFound, "unknown VM")} {
		if got := new(app).explain(err); got != err {
			t.Errorf("%v: %v", err, got)
		}
	}
}
