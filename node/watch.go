package node

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/migrated/migrated/node/metrics"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// Metrics are for the daemon to serve.
func (n *Node) Metrics() *metrics.Metrics { return n.counts }

// Pulse says in a line how the node is. That it returns shows that nothing in the node hangs.
func (n *Node) Pulse() string {
	s := n.state()
	here, links := 0, 0
	for _, vm := range s.VMs {
		if vm.Here {
			here++
		}
	}
	for _, up := range s.Links {
		if up {
			links++
		}
	}
	return fmt.Sprintf("%d VMs here, %d elsewhere; %d of %d nodes connected", here, len(s.VMs)-here, links, len(s.Links))
}

// state is what metrics say of this moment.
func (n *Node) state() metrics.State {
	s := metrics.State{Links: make(map[string]bool), LastSeq: n.events.Last()}
	for _, rec := range n.list(false) {
		here := rec.Node == n.cfg.Name && rec.State != pb.VMState_VM_STATE_ARRIVING
		s.VMs = append(s.VMs, metrics.VM{
			ID: rec.Id, Name: rec.Name, State: rec.State, Here: here, Memory: rec.Memory, Age: time.Since(rec.Created.AsTime()),
		})
	}
	total, free, err := n.budget.free()
	if err != nil {
		n.log.Warn("read the machine's memory", "err", err)
	}
	granted, limit := n.budget.sums()
	s.Memory = metrics.Memory{Total: total, Free: free, Granted: granted, Limit: limit}
	for _, p := range n.hub.Status() {
		s.Links[p.Name] = p.Link != nil
	}
	return s
}

func (s *operatorServer) Events(req *pb.EventsRequest, stream pb.Node_EventsServer) error {
	journal := s.node.events
	wanted := func(e *pb.Event) bool { return true }
	if req.Vm != "" {
		id := req.Vm
		// One that is not known any more can still be named in full.
		if vm, err := s.node.lookup(req.Vm); err == nil {
			id = vm.id
		}
		wanted = func(e *pb.Event) bool { return e.Vm == id || e.VmName == id }
	}
	after := req.After
	if req.Last > 0 {
		// The number of the last one but so many, found before any is sent.
		var numbers []uint64
		err := journal.Read(stream.Context(), after, false, func(e *pb.Event) error {
			if wanted(e) {
				numbers = append(numbers, e.Seq)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if skip := len(numbers) - int(req.Last); skip > 0 {
			after = numbers[skip-1]
		}
	}
	return journal.Read(stream.Context(), after, req.Follow, func(e *pb.Event) error {
		if !wanted(e) {
			return nil
		}
		return stream.Send(e)
	})
}

func (s *operatorServer) Reload(context.Context, *pb.ReloadRequest) (*pb.ReloadResponse, error) {
	answer, err := s.node.Reload()
	if err != nil {
		return nil, status.Error(codes.FailedPrecondition, err.Error())
	}
	return answer, nil
}

// Reload has the configuration read again, and tells what came of it.
func (n *Node) Reload() (*pb.ReloadResponse, error) {
	if n.cfg.Reload == nil {
		return nil, fmt.Errorf("%s has no configuration to read again", n.cfg.Name)
	}
	answer, err := n.cfg.Reload()
	if err != nil {
		n.happened(&pb.Event{Kind: pb.EventKind_EVENT_KIND_CONFIG_REJECTED, Reason: err.Error()})
		return nil, fmt.Errorf("%w; the old configuration stays in force", err)
	}
	n.happened(&pb.Event{Kind: pb.EventKind_EVENT_KIND_CONFIG_RELOADED, Reason: reloadText(answer)})
	return answer, nil
}

func reloadText(r *pb.ReloadResponse) string {
	if len(r.Changed)+len(r.Restart) == 0 {
		return "nothing has changed"
	}
	var parts []string
	if len(r.Changed) > 0 {
		parts = append(parts, "changed: "+strings.Join(r.Changed, ", "))
	}
	if len(r.Restart) > 0 {
		parts = append(parts, "needs a restart: "+strings.Join(r.Restart, ", "))
	}
	return strings.Join(parts, "; ")
}
