package node

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

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
		vm := metrics.VM{ID: rec.Id, Name: rec.Name, State: rec.State, Memory: rec.Memory}
		vm.Here, vm.Usage = n.usage(rec.Id)
		s.VMs = append(s.VMs, vm)
	}
	total, free, err := n.budget.free()
	if err != nil {
		n.log.Warn("read the machine's memory", "err", err)
	}
	granted, limit := n.budget.sums()
	kept, _ := n.kept.sums()
	s.Memory = metrics.Memory{Total: total, Free: free, Granted: granted, Limit: limit, Kept: kept}
	for _, p := range n.hub.Status() {
		s.Links[p.Name] = p.Link != nil
	}
	return s
}

// usage says whether a VM is here, and what it takes if that is known.
func (n *Node) usage(id string) (here bool, usage *metrics.Usage) {
	n.mu.Lock()
	vm := n.vms[id]
	n.mu.Unlock()
	if vm == nil {
		return false, nil
	}
	guest := vm.here()
	if guest == nil {
		return false, nil
	}
	u, err := guest.Usage()
	if err != nil { // it ends at this moment
		return true, nil
	}
	return true, &metrics.Usage{CPU: u.CPU, Resident: u.Resident}
}

func (s *operatorServer) Top(context.Context, *pb.TopRequest) (*pb.TopResponse, error) {
	self, err := s.node.status()
	if err != nil {
		return nil, err
	}
	answer := &pb.TopResponse{Node: self}
	for _, rec := range s.node.list(false) {
		rec.Stays, rec.Moves = nil, nil
		entry := &pb.VMUsage{Vm: rec}
		if _, u := s.node.usage(rec.Id); u != nil {
			entry.Cpu, entry.Resident = durationpb.New(u.CPU), u.Resident
		}
		entry.MoveId, entry.Move = s.node.moveNews(rec.Id)
		answer.Vms = append(answer.Vms, entry)
	}
	answer.Time = timestamppb.Now()
	return answer, nil
}

// moveNews is how far a move from here has come, if one is under way.
func (n *Node) moveNews(id string) (move string, last *pb.MoveEvent) {
	n.mu.Lock()
	vm := n.vms[id]
	n.mu.Unlock()
	if vm == nil {
		return "", nil
	}
	vm.mu.Lock()
	out := vm.out
	vm.mu.Unlock()
	if out == nil {
		return "", nil
	}
	out.mu.Lock()
	defer out.mu.Unlock()
	return out.id, out.last
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
