// Package events keeps what happens on a node: a bounded journal of typed records, for
// operators and for the programs that watch a node for them.
package events

import (
	"context"
	"log/slog"
	"strings"
	"time"

	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// kinds say how an event reads in the daemon's log.
var kinds = map[pb.EventKind]struct {
	level slog.Level
	text  string
}{
	pb.EventKind_EVENT_KIND_NODE_STARTED:    {slog.LevelDebug, "node started"},
	pb.EventKind_EVENT_KIND_NODE_STOPPED:    {slog.LevelInfo, "shutting down"},
	pb.EventKind_EVENT_KIND_CONFIG_RELOADED: {slog.LevelInfo, "configuration reloaded"},
	pb.EventKind_EVENT_KIND_CONFIG_REJECTED: {slog.LevelError, "configuration rejected, the old one stays in force"},
	pb.EventKind_EVENT_KIND_VM_STARTED:      {slog.LevelInfo, "VM runs"},
	pb.EventKind_EVENT_KIND_VM_EXITED:       {slog.LevelInfo, "VM ended"},
	pb.EventKind_EVENT_KIND_VM_CRASHED:      {slog.LevelWarn, "VM crashed"},
	pb.EventKind_EVENT_KIND_VM_LOST:         {slog.LevelError, "VM lost"},
	pb.EventKind_EVENT_KIND_MOVE_BEGUN:      {slog.LevelInfo, "move begins"},
	pb.EventKind_EVENT_KIND_MOVE_PHASE:      {slog.LevelDebug, "move goes on"},
	pb.EventKind_EVENT_KIND_MOVE_DONE:       {slog.LevelInfo, "VM moved"},
	pb.EventKind_EVENT_KIND_MOVE_FAILED:     {slog.LevelWarn, "move failed, the VM goes on at its source"},
	pb.EventKind_EVENT_KIND_MOVE_IN_DOUBT:   {slog.LevelWarn, "move in doubt"},
	pb.EventKind_EVENT_KIND_PEER_CONNECTED:  {slog.LevelInfo, "link up"},
	pb.EventKind_EVENT_KIND_PEER_LOST:       {slog.LevelInfo, "link down"},
	pb.EventKind_EVENT_KIND_RECOVERY:        {slog.LevelInfo, "recovery"},
	pb.EventKind_EVENT_KIND_TRUST_TOKEN:     {slog.LevelInfo, "token made"},
	pb.EventKind_EVENT_KIND_TRUST_ENROLLED:  {slog.LevelInfo, "enrolled"},
	pb.EventKind_EVENT_KIND_TRUST_ALLOWED:   {slog.LevelInfo, "rights changed"},
	pb.EventKind_EVENT_KIND_TRUST_REVOKED:   {slog.LevelInfo, "revoked"},
}

// Kind names a kind of event: "vm-started".
func Kind(k pb.EventKind) string { return name(k.String(), "EVENT_KIND_") }

// Phase names a phase of a move: "transfer"; "" for none.
func Phase(p pb.MovePhase) string {
	if p == pb.MovePhase_MOVE_PHASE_UNSPECIFIED {
		return ""
	}
	return name(p.String(), "MOVE_PHASE_")
}

// MoveKind names how a move is made: "precopy"; "" where that is not known.
func MoveKind(k pb.MoveKind) string {
	if k == pb.MoveKind_MOVE_KIND_UNSPECIFIED {
		return ""
	}
	return name(k.String(), "MOVE_KIND_")
}

// State names a VM's state: "running".
func State(s pb.VMState) string { return name(s.String(), "VM_STATE_") }

func name(enum, prefix string) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(enum, prefix)), "_", "-")
}

// Log writes an event to a log. The id of a move is there on both of its nodes.
func Log(log *slog.Logger, e *pb.Event) {
	k, ok := kinds[e.Kind]
	if !ok {
		k.level, k.text = slog.LevelInfo, Kind(e.Kind)
	}
	var attrs []slog.Attr
	add := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	add("vm", e.VmName)
	add("id", e.Vm)
	add("move", e.Move)
	add("from", e.From)
	add("to", e.To)
	add("peer", e.Peer)
	add("address", e.Address)
	add("rights", strings.Join(e.Rights, ","))
	add("by", e.By)
	add("kind", MoveKind(e.MoveKind))
	add("phase", Phase(e.Phase))
	if e.Exit != nil {
		attrs = append(attrs, slog.Int("code", int(e.Exit.Code)))
	}
	if a := e.Account; a != nil {
		attrs = append(attrs,
			slog.Duration("downtime", a.Downtime.AsDuration().Round(time.Microsecond)),
			slog.Duration("total", a.Total.AsDuration().Round(time.Microsecond)),
			slog.Uint64("wire_bytes", a.Memory.GetWireBytes()))
	}
	add("reason", e.Reason)
	log.LogAttrs(context.Background(), k.level, k.text, attrs...)
}
