package cluster

import "time"

// These are the parts of migratectl's JSON that tests and the demo look at.

// A VM is what `migratectl inspect -o json VM` prints.
type VM struct {
	ID     string
	Name   string
	State  string
	Home   string
	Node   string
	ISA    string
	Memory uint64 `json:"memory_bytes"`
	Note   string
	Exit   *Exit
	Stays  []struct {
		Node     string
		LogStart int64  `json:"log_start_bytes"`
		LogEnd   *int64 `json:"log_end_bytes"` // nil while it goes on
	}
	Moves []Move
}

// An Exit is how a program ended.
type Exit struct {
	Code   int
	Signal int
	Crash  *Crash
}

// A Crash is how a program crashed.
type Crash struct {
	Reason    string
	Address   uint64
	Registers []struct{ Name string }
	Backtrace []struct {
		Function string
		File     string
		Line     int
	}
}

// A Move is the account of one.
type Move struct {
	From, To    string
	FromISA     string        `json:"from_isa"`
	ToISA       string        `json:"to_isa"`
	Prepare     time.Duration `json:"prepare_ns"`
	Quiesce     time.Duration `json:"quiesce_ns"`
	Transfer    time.Duration `json:"transfer_ns"`
	Verify      time.Duration `json:"verify_ns"`
	Start       time.Duration `json:"start_ns"`
	Downtime    time.Duration `json:"downtime_ns"`
	Total       time.Duration `json:"total_ns"`
	Pages       uint64
	ZeroPages   uint64                          `json:"zero_pages"`
	SentPages   uint64                          `json:"sent_pages"`
	RawBytes    uint64                          `json:"raw_bytes"`
	WireBytes   uint64                          `json:"wire_bytes"`
	BasePages   uint64                          `json:"base_pages"`
	Compression string                          // as asked for
	Codecs      struct{ None, S2, Zstd uint64 } // bytes of pages, by what they got
	Mode, Why   string
	Rounds      uint32
	ImageBytes  uint64 `json:"image_bytes"`
	Frames      uint64
	RecordBytes uint64 `json:"record_bytes"`
}
