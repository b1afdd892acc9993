package main

import (
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// Records are what -o json prints and what tables are drawn from. Times are RFC 3339, sizes
// integer bytes, durations integer nanoseconds.

// A vmRecord is one VM.
type vmRecord struct {
	ID         string       `json:"id"`
	Name       string       `json:"name"`
	State      string       `json:"state"`
	Home       string       `json:"home"`
	Node       string       `json:"node"`
	Image      string       `json:"image"`
	ImageName  string       `json:"image_name"`
	ISA        string       `json:"isa"`
	Level      string       `json:"level,omitempty"`
	Memory     uint64       `json:"memory_bytes"`
	Args       []string     `json:"args"`
	Created    time.Time    `json:"created"`
	Ended      *time.Time   `json:"ended,omitempty"`
	Exit       *exitRecord  `json:"exit,omitempty"`
	Generation uint32       `json:"generation"`
	MovingTo   string       `json:"moving_to,omitempty"`
	Note       string       `json:"note,omitempty"`
	Stays      []stayRecord `json:"stays"`
	Moves      []moveRecord `json:"moves"`
	// How its process is confined, where it is.
	Confinement []confinementRecord `json:"confinement"`
}

type confinementRecord struct {
	Means  string `json:"means"`
	Answer string `json:"answer"` // yes, no, could not tell
	Note   string `json:"note,omitempty"`
}

type stayRecord struct {
	Node     string `json:"node"`
	LogStart int64  `json:"log_start_bytes"`
	LogEnd   *int64 `json:"log_end_bytes,omitempty"`
}

type exitRecord struct {
	Code   int32        `json:"code"`
	Signal int32        `json:"signal,omitempty"`
	Crash  *crashRecord `json:"crash,omitempty"`
}

type crashRecord struct {
	Reason    string           `json:"reason,omitempty"`
	Message   string           `json:"message,omitempty"`
	Address   uint64           `json:"address"`
	PC        uint64           `json:"pc"`
	Registers []registerRecord `json:"registers"`
	Backtrace []frameRecord    `json:"backtrace"`
}

type registerRecord struct {
	Name  string `json:"name"`
	Value uint64 `json:"value"`
}

type frameRecord struct {
	PC       uint64 `json:"pc"`
	Function string `json:"function,omitempty"`
	File     string `json:"file,omitempty"`
	Line     uint32 `json:"line,omitempty"`
}

// A moveRecord is the account of one move.
type moveRecord struct {
	From        string        `json:"from"`
	To          string        `json:"to"`
	FromISA     string        `json:"from_isa"`
	ToISA       string        `json:"to_isa"`
	Started     time.Time     `json:"started"`
	Prepare     time.Duration `json:"prepare_ns"`
	Quiesce     time.Duration `json:"quiesce_ns"`
	Transfer    time.Duration `json:"transfer_ns"`
	Copy        time.Duration `json:"copy_ns"` // of transfer: while the program ran
	Verify      time.Duration `json:"verify_ns"`
	Start       time.Duration `json:"start_ns"`
	Downtime    time.Duration `json:"downtime_ns"`
	Total       time.Duration `json:"total_ns"`
	RoundTrip   time.Duration `json:"round_trip_ns"`
	Pages       uint64        `json:"pages"`
	ZeroPages   uint64        `json:"zero_pages"`
	SentPages   uint64        `json:"sent_pages"`
	RawBytes    uint64        `json:"raw_bytes"`
	WireBytes   uint64        `json:"wire_bytes"`
	Batches     uint64        `json:"batches"`
	Rounds      uint32        `json:"rounds"`
	Compression string        `json:"compression"` // as asked for
	Codecs      codecBytes    `json:"codecs"`
	Mode        string        `json:"mode"` // as chosen
	Why         string        `json:"why"`  // it was chosen
	DeltaPages  uint64        `json:"delta_pages"`
	SamePages   uint64        `json:"same_pages"`
	BasePages   uint64        `json:"base_pages"`
	LaterPages  uint64        `json:"later_pages"`
	ImageBytes  uint64        `json:"image_bytes"`
	Frames      uint64        `json:"frames"`
	RecordBytes uint64        `json:"record_bytes"`
}

// modeName is a move's way as people give it.
func modeName(kind pb.MoveKind) string {
	for mode, k := range modes {
		if k == kind {
			return mode.String()
		}
	}
	return kind.String()
}

// codecBytes is how many bytes of pages went how, before compression.
type codecBytes struct {
	None uint64 `json:"none"`
	S2   uint64 `json:"s2"`
	Zstd uint64 `json:"zstd"`
}

// String names what was used, with its share.
func (c codecBytes) String() string {
	var used []string
	total := c.None + c.S2 + c.Zstd
	for _, codec := range []struct {
		name  string
		bytes uint64
	}{{"none", c.None}, {"s2", c.S2}, {"zstd", c.Zstd}} {
		switch codec.bytes {
		case 0:
		case total:
			return codec.name
		default:
			used = append(used, fmt.Sprintf("%s %.0f %%", codec.name, 100*float64(codec.bytes)/float64(total)))
		}
	}
	if used == nil {
		return "nothing to send"
	}
	return strings.Join(used, ", ")
}

// A nodeRecord is one node, as the daemon sees it.
type nodeRecord struct {
	Name        string        `json:"name"`
	ID          string        `json:"id,omitempty"`
	State       string        `json:"state"`
	Address     string        `json:"address,omitempty"`
	ISA         string        `json:"isa,omitempty"`
	Levels      []string      `json:"levels"`
	ABI         uint32        `json:"abi,omitempty"`
	Version     string        `json:"version,omitempty"`
	VMs         uint32        `json:"vms"`
	MemoryTotal uint64        `json:"memory_total_bytes"`
	MemoryFree  uint64        `json:"memory_free_bytes"`
	RoundTrip   time.Duration `json:"round_trip_ns,omitempty"`
	Note        string        `json:"note,omitempty"`
}

var vmStates = map[pb.VMState]string{
	pb.VMState_VM_STATE_STARTING: "starting",
	pb.VMState_VM_STATE_RUNNING:  "running",
	pb.VMState_VM_STATE_MOVING:   "moving",
	pb.VMState_VM_STATE_ARRIVING: "arriving",
	pb.VMState_VM_STATE_AWAY:     "away",
	pb.VMState_VM_STATE_EXITED:   "exited",
	pb.VMState_VM_STATE_LOST:     "lost",
}

var nodeStates = map[pb.NodeState]string{
	pb.NodeState_NODE_STATE_SELF:        "self",
	pb.NodeState_NODE_STATE_CONNECTED:   "connected",
	pb.NodeState_NODE_STATE_UNREACHABLE: "unreachable",
}

func newVMRecord(v *pb.VM) vmRecord {
	r := vmRecord{
		ID: v.Id, Name: v.Name, State: vmStates[v.State], Home: v.Home, Node: v.Node,
		Image: v.Image, ImageName: v.ImageName, ISA: v.Isa, Level: v.Level, Memory: v.Memory,
		Args: append([]string{}, v.Args...), Created: v.Created.AsTime(), Ended: timeOf(v.Ended),
		Generation: v.Generation, MovingTo: v.MovingTo, Note: v.Note,
		Stays: []stayRecord{}, Moves: []moveRecord{}, Confinement: []confinementRecord{},
	}
	if e := v.Exit; e != nil {
		r.Exit = &exitRecord{Code: e.Code, Signal: e.Signal, Crash: newCrashRecord(e.Crash)}
	}
	for _, c := range v.Confinement {
		r.Confinement = append(r.Confinement, confinementRecord{c.Means, c.Answer, c.Note})
	}
	for _, s := range v.Stays {
		stay := stayRecord{Node: s.Node, LogStart: s.LogStart}
		if s.LogEnd >= 0 {
			stay.LogEnd = &s.LogEnd
		}
		r.Stays = append(r.Stays, stay)
	}
	for _, m := range v.Moves {
		r.Moves = append(r.Moves, newMoveRecord(m))
	}
	return r
}

func newCrashRecord(c *pb.Crash) *crashRecord {
	if c == nil {
		return nil
	}
	r := &crashRecord{
		Reason: c.Reason, Message: c.Message, Address: c.Address, PC: c.Pc,
		Registers: []registerRecord{}, Backtrace: []frameRecord{},
	}
	for _, reg := range c.Registers {
		r.Registers = append(r.Registers, registerRecord{reg.Name, reg.Value})
	}
	for _, f := range c.Backtrace {
		r.Backtrace = append(r.Backtrace, frameRecord{f.Pc, f.Function, f.File, f.Line})
	}
	return r
}

func newMoveRecord(m *pb.Move) moveRecord {
	s := m.Memory
	return moveRecord{
		From: m.From, To: m.To, FromISA: m.FromIsa, ToISA: m.ToIsa, Started: m.Started.AsTime(),
		Prepare: m.Prepare.AsDuration(), Quiesce: m.Quiesce.AsDuration(), Transfer: m.Transfer.AsDuration(), Copy: m.Copy.AsDuration(),
		Verify: m.Verify.AsDuration(), Start: m.Start.AsDuration(), Downtime: m.Downtime.AsDuration(),
		Total: m.Total.AsDuration(), RoundTrip: m.RoundTrip.AsDuration(),
		Pages: s.GetPages(), ZeroPages: s.GetZero(), SentPages: s.GetSent(), RawBytes: s.GetRawBytes(),
		WireBytes: s.GetWireBytes(), Batches: s.GetBatches(), Rounds: s.GetRounds(), Compression: s.GetCodec(),
		Mode: modeName(m.Kind), Why: m.Why,
		Codecs:     codecBytes{s.GetByNone(), s.GetByS2(), s.GetByZstd()},
		DeltaPages: s.GetDelta(), SamePages: s.GetSame(), BasePages: s.GetBase(), LaterPages: s.GetLater(),
		ImageBytes: m.ImageBytes, Frames: m.Frames, RecordBytes: m.RecordBytes,
	}
}

func newNodeRecord(n *pb.NodeInfo) nodeRecord {
	return nodeRecord{
		Name: n.Name, ID: n.Id, State: nodeStates[n.State], Address: n.Address, ISA: n.Isa,
		Levels: append([]string{}, n.Levels...), ABI: n.Abi, Version: n.Version, VMs: n.Vms,
		MemoryTotal: n.MemoryTotal, MemoryFree: n.MemoryFree, RoundTrip: durationOf(n.RoundTrip), Note: n.Note,
	}
}

func timeOf(t *timestamppb.Timestamp) *time.Time {
	if t == nil {
		return nil
	}
	v := t.AsTime()
	return &v
}

func durationOf(d *durationpb.Duration) time.Duration {
	if d == nil {
		return 0
	}
	return d.AsDuration()
}
