package qemu

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// An Options says how a machine is moved.
type Options struct {
	Downtime time.Duration // that QEMU may take
	Zstd     bool          // several connections, each compressed
}

// An Account is what a move took.
type Account struct {
	Total    time.Duration // from the command until the other goes on, by its event
	Downtime time.Duration // from when the one stops to when the other goes on, by their events
	Own      time.Duration // downtime as QEMU says, in whole milliseconds
	Rounds   int           // times that the dirty log was read
}

// channels is how many connections there are with Zstd: two processors do not feed more.
const channels = 2

// port is where the target listens in its own network.
const port = 4444

// fast is no limit, bytes a second.
const fast = 10_000_000_000

// Migrate moves a machine to another, which waits for it at an address.
func (m *Machine) Migrate(ctx context.Context, to *Machine, address string, o Options) (Account, error) {
	uri := fmt.Sprintf("tcp:%s:%d", address, port)
	for _, end := range []*Machine{m, to} {
		if err := end.prepare(o); err != nil {
			return Account{}, err
		}
	}
	if err := to.control.do("migrate-incoming", map[string]any{"uri": uri}, nil); err != nil {
		return Account{}, err
	}
	begin := time.Now()
	if err := m.control.do("migrate", map[string]any{"uri": uri}, nil); err != nil {
		return Account{}, err
	}
	var s status
	if err := m.poll(ctx, func() (bool, error) {
		s = status{}
		if err := m.control.do("query-migrate", nil, &s); err != nil {
			return false, err
		}
		return s.done()
	}); err != nil {
		return Account{}, fmt.Errorf("move QEMU's machine: %w", err)
	}
	return s.account(ctx, m, to, begin)
}

// prepare sets the same at both ends.
func (m *Machine) prepare(o Options) error {
	type capability struct {
		Capability string `json:"capability"`
		State      bool   `json:"state"`
	}
	parameters := map[string]any{"max-bandwidth": int64(fast), "downtime-limit": o.Downtime.Milliseconds()}
	if o.Zstd {
		parameters["multifd-channels"] = channels
		parameters["multifd-compression"] = "zstd"
	}
	return errors.Join(
		m.control.do("migrate-set-capabilities", map[string]any{"capabilities": []capability{
			{"events", true}, {"multifd", o.Zstd}, {"auto-converge", true},
		}}, nil),
		m.control.do("migrate-set-parameters", parameters, nil))
}

// A status is what query-migrate returns: qapi/migration.json in QEMU's source, MigrationInfo.
type status struct {
	Status    string
	ErrorDesc string `json:"error-desc"`
	Total     int64  `json:"total-time"` // ms
	Downtime  int64  // ms
	RAM       struct {
		Rounds int `json:"dirty-sync-count"`
	}
}

// done says whether the move is over; one that failed is an error.
func (s *status) done() (bool, error) {
	switch s.Status {
	case "completed": // the figures come a little later
		return s.Total > 0, nil
	case "failed", "cancelled", "cancelling":
		return false, fmt.Errorf("it %s: %s", s.Status, s.ErrorDesc)
	}
	return false, nil
}

// account waits until the target runs. QEMU's own total ends when its source has written all, of which
// some MiB are in the buffers of its sockets then.
func (s *status) account(ctx context.Context, from, to *Machine, begin time.Time) (Account, error) {
	a := Account{
		Own:    time.Duration(s.Downtime) * time.Millisecond,
		Rounds: s.RAM.Rounds,
	}
	err := to.poll(ctx, func() (bool, error) {
		stopped, left := from.control.event("STOP")
		resumed, there := to.control.event("RESUME")
		a.Downtime, a.Total = resumed.Sub(stopped), resumed.Sub(begin)
		return left && there, nil
	})
	return a, err
}
