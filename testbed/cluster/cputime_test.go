package cluster

import (
	"testing"
	"time"
)

func TestUsedTime(t *testing.T) {
	const stat = "17 (a) b) c) S 1 17 17 0 -1 0 0 0 0 0 100 20 3 4 20 0 1 0"
	if got, err := usedTime(stat); got != 1270*time.Millisecond || err != nil {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"", "17 (a", "17 (a) S 1 2 3", "17 (a) S 1 17 17 0 -1 0 0 0 0 0 x 20 3 4 20 0"} {
		if got, err := usedTime(bad); err == nil {
			t.Errorf("%q is %v and no error", bad, got)
		}
	}
}
