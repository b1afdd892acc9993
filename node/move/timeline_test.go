package move

import (
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// TestDowntime: what the target has run already, and the way of its answer, is not downtime.
func TestDowntime(t *testing.T) {
	const left = time.Hour // ago: what the test itself takes does not count
	for _, test := range []struct {
		name         string
		sinceResumed time.Duration
		roundTrip    time.Duration
		repeated     bool
		want         time.Duration
	}{
		{"plain", 0, 0, false, left},
		{"ran before it answered", 10 * time.Minute, 0, false, left - 10*time.Minute},
		{"slow network", 10 * time.Minute, 4 * time.Minute, false, left - 12*time.Minute},
		{"answer repeated", 10 * time.Minute, 4 * time.Minute, true, left},
		{"more than there was", 2 * time.Hour, 0, false, 0},
	} {
		now := time.Now()
		line := timeline{begin: now.Add(-2 * left), leftAt: now.Add(-left), roundTrip: test.roundTrip, move: new(pb.Move)}
		line.finish(&pb.StartResponse{SinceResumed: durationpb.New(test.sinceResumed), Repeated: test.repeated})
		if got := line.move.Downtime.AsDuration().Truncate(time.Minute); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
		if got := line.move.Total.AsDuration().Truncate(time.Minute); got != 2*left {
			t.Errorf("%s: total %v", test.name, got)
		}
	}
}

// TestLaps: phases follow each other without a gap.
func TestLaps(t *testing.T) {
	line := timeline{begin: time.Now().Add(-time.Hour), move: new(pb.Move)}
	line.lap(&line.move.Prepare)
	line.lap(&line.move.Quiesce)
	if d := line.move.Prepare.AsDuration(); d < time.Hour {
		t.Errorf("the first phase took %v", d)
	}
	sum := line.move.Prepare.AsDuration() + line.move.Quiesce.AsDuration()
	if got := line.mark.Sub(line.begin); got != sum {
		t.Errorf("phases of %v in %v", sum, got)
	}
}
