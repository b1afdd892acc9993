package rpcerror

import (
	"errors"
	"fmt"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestFind(t *testing.T) {
	refused := status.Error(codes.FailedPrecondition, "the name is taken")
	for _, test := range []struct {
		err  error
		want string
	}{
		{refused, "the name is taken"},
		{errors.Join(refused, nil), "the name is taken"},
		{errors.Join(refused, errors.New("close")), "the name is taken\nclose"},
		{fmt.Errorf("run: %w", refused), "run: the name is taken"},
	} {
		st, ok := Find(test.err)
		if !ok || st.Code() != codes.FailedPrecondition || st.Message() != test.want || Text(test.err) != test.want {
			t.Errorf("%v: %v, %v; want %q", test.err, st, ok, test.want)
		}
	}
	plain := errors.New("disk is full")
	if st, ok := Find(plain); ok || Text(plain) != "disk is full" {
		t.Errorf("an error of no call: %v, %v", st, ok)
	}
}
