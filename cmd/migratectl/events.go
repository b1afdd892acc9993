package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/migrated/migrated/node/events"
	"github.com/migrated/migrated/node/units"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// An eventRecord is one event of a node.
type eventRecord struct {
	Seq     uint64      `json:"seq"`
	Time    time.Time   `json:"time"`
	Kind    string      `json:"kind"`
	VM      string      `json:"vm,omitempty"`
	VMID    string      `json:"vm_id,omitempty"`
	Move    string      `json:"move,omitempty"` // the same on both nodes
	From    string      `json:"from,omitempty"`
	To      string      `json:"to,omitempty"`
	Peer    string      `json:"peer,omitempty"`
	Address string      `json:"address,omitempty"`
	Rights  []string    `json:"rights,omitempty"`
	By      string      `json:"by,omitempty"`  // user and process
	How     string      `json:"how,omitempty"` // the move is made, as far as that has been chosen
	Phase   string      `json:"phase,omitempty"`
	Reason  string      `json:"reason,omitempty"`
	Exit    *exitRecord `json:"exit,omitempty"`
	Account *moveRecord `json:"account,omitempty"`
}

func newEventRecord(e *pb.Event) eventRecord {
	r := eventRecord{
		Seq: e.Seq, Time: e.Time.AsTime(), Kind: events.Kind(e.Kind), VM: e.VmName, VMID: e.Vm, Move: e.Move,
		From: e.From, To: e.To, Peer: e.Peer, Address: e.Address, Rights: e.Rights, By: e.By,
		How: events.MoveKind(e.MoveKind), Phase: events.Phase(e.Phase), Reason: e.Reason,
	}
	if e.Exit != nil {
		r.Exit = &exitRecord{Code: e.Exit.Code, Signal: e.Exit.Signal}
	}
	if e.Account != nil {
		account := newMoveRecord(e.Account)
		r.Account = &account
	}
	return r
}

func (a *app) eventsCommand() *cobra.Command {
	request := new(pb.EventsRequest)
	cmd := &cobra.Command{
		Use:   "events [VM]",
		Short: "List what has happened on this node",
		Long: `Events lists what has happened on this node, the oldest first: VMs that started, ended,
crashed or were lost, each step of each move, nodes that connected or were lost, decisions on
trust, reloads of the configuration, and what the daemon decided about moves that it found
after a restart. With a VM, only what concerns that.

The node keeps some thousands of events, over restarts of the daemon. Each has a number that
grows by one: --after N goes on behind the last one that was seen. A move has an id, which is
the same on both of its nodes, in their events and in their logs.

-o json prints one object per line.`,
		Example: `  migratectl events
  migratectl events --last 20 --follow
  migratectl events lua -o json | jq 'select(.kind == "move-done") | .account.downtime_ns'`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("events: unexpected argument %q", args[1])
			}
			return nil
		},
		ValidArgsFunction: a.completeVMs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				request.Vm = args[0]
			}
			return a.with(cmd, func(ctx context.Context, client pb.NodeClient) error {
				stream, err := client.Events(ctx, request)
				if err != nil {
					return err
				}
				err = each(stream, func(e *pb.Event) error { return a.printEvent(newEventRecord(e)) })
				if request.Follow && ctx.Err() != nil && cmd.Context().Err() == nil {
					return nil // an interrupt is how following ends
				}
				return err
			})
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVarP(&request.Follow, "follow", "f", false, "go on with those to come, until interrupted")
	flags.Uint32VarP(&request.Last, "last", "n", 0, "of those that have happened, only so many, the newest; 0 for all that are kept")
	flags.Uint64Var(&request.After, "after", 0, "only those whose number is greater")
	return cmd
}

// printEvent prints one event at once: with --follow there is no last one to wait for.
func (a *app) printEvent(e eventRecord) error {
	if a.output == "json" {
		return json.NewEncoder(a.stdout).Encode(e)
	}
	_, err := fmt.Fprintf(a.stdout, "%s  %-15s  %s\n", e.Time.Local().Format(time.RFC3339), e.Kind, e.text())
	return err
}

// text is an event in words, without its time and kind.
func (e *eventRecord) text() string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if e.VM != "" {
		add("%s", e.VM)
	}
	if e.From != "" {
		add("%s -> %s", e.From, e.To)
	}
	if e.Peer != "" {
		add("%s", e.Peer)
	}
	if e.Address != "" {
		add("(%s)", e.Address)
	}
	if len(e.Rights) > 0 {
		add("may %s", strings.Join(e.Rights, ","))
	}
	if e.By != "" {
		add("by %s", e.By)
	}
	if e.How != "" {
		add("by %s", e.How)
	}
	if e.Phase != "" {
		add("%s", e.Phase)
	}
	if e.Exit != nil {
		add("status %d", e.Exit.Code)
	}
	if m := e.Account; m != nil {
		add("downtime %s, total %s, %s", short(m.Downtime), short(m.Total), units.Bytes(m.WireBytes).Short())
	}
	if e.Reason != "" {
		parts = append(parts, "- "+e.Reason)
	}
	if e.Move != "" {
		add("[%.12s]", e.Move)
	}
	return strings.Join(parts, " ")
}

func (a *app) reloadCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "reload",
		Short: "Have the daemon read its configuration file again",
		Long: `Reload has the daemon read its configuration file again, as SIGHUP does, and says what came of
it: which keys have another value now, and which need a restart of the daemon. If anything in
the file is wrong, nothing changes, and reload says what it is.`,
		Example:           `  migratectl reload`,
		Args:              exactly(),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd, func(ctx context.Context, client pb.NodeClient) error {
				answer, err := client.Reload(ctx, &pb.ReloadRequest{})
				if err != nil {
					return err
				}
				record := reloadRecord{append([]string{}, answer.Changed...), append([]string{}, answer.Restart...)}
				return a.print(record, func(w io.Writer) error {
					_, err := fmt.Fprint(w, record.text())
					return err
				})
			})
		},
	}
}

// A reloadRecord is what came of a reload.
type reloadRecord struct {
	Changed []string `json:"changed"`
	Restart []string `json:"needs_restart"`
}

func (r *reloadRecord) text() string {
	var b strings.Builder
	if len(r.Changed) > 0 {
		fmt.Fprintf(&b, "changed: %s\n", strings.Join(r.Changed, ", "))
	}
	if len(r.Restart) > 0 {
		fmt.Fprintf(&b, "needs a restart of the daemon: %s\n", strings.Join(r.Restart, ", "))
	}
	if b.Len() == 0 {
		return "nothing has changed\n"
	}
	return b.String()
}
