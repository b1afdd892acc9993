package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/migrated/migrated/node/events"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// State is how a node is at one moment.
type State struct {
	VMs     []VM
	Memory  Memory
	Links   map[string]bool // configured and connected peers; whether they are connected
	LastSeq uint64          // number of the newest event
}

// A VM is one that is here, or at home here and elsewhere.
type VM struct {
	ID, Name string
	State    pb.VMState
	Here     bool
	Memory   uint64 // bytes, as given
	Usage    *Usage // nil where it is not known
}

// Usage is what a VM takes of its machine.
type Usage struct {
	CPU      time.Duration // of all its threads, since it came
	Resident uint64        // bytes of the machine's memory
}

// Memory for VMs, bytes.
type Memory struct {
	Total   uint64 // of the machine
	Free    uint64 // what a new VM could have
	Granted uint64 // to the VMs here
	Limit   uint64 // 0: none
	Kept    uint64 // of VMs that have left
}

var (
	vmsDesc = desc("vms", "VMs that are here or at home here and have not ended, by state.", "state")

	memoryDesc = desc("memory_bytes",
		"Memory: total of the machine, free for a new VM, granted to VMs here, limit of all VMs together (0: none), kept of VMs that have left.", "of")
	linkDesc     = desc("link_up", "1 for a node that is connected, 0 for one that is configured and is not.", "peer")
	linksDesc    = desc("links", "Nodes that are connected.")
	vmMemoryDesc = desc("vm_memory_bytes", "Memory that a VM here was given.", "id", "vm")
	vmCPUDesc    = desc("vm_cpu_seconds_total", "Processor time of a VM here, since it came.", "id", "vm")
	vmRSSDesc    = desc("vm_resident_bytes", "Memory that a VM here has touched, its own overhead included.", "id", "vm")
	eventSeqDesc = desc("event_last_seq", "Number of the newest event.")
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("migrated_"+name, help, labels, nil)
}

// A stateCollector asks for the state at each scrape.
type stateCollector struct{ state func() State }

func (c *stateCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{vmsDesc, memoryDesc, linkDesc, linksDesc, vmMemoryDesc, vmCPUDesc, vmRSSDesc, eventSeqDesc} {
		ch <- d
	}
}

func (c *stateCollector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	s := c.state()
	byState := make(map[pb.VMState]int)
	for number := range pb.VMState_name {
		if state := pb.VMState(number); living(state) {
			byState[state] = 0
		}
	}
	for _, vm := range s.VMs {
		if living(vm.State) {
			byState[vm.State]++
		}
		if !vm.Here {
			continue
		}
		gauge(vmMemoryDesc, float64(vm.Memory), vm.ID, vm.Name)
		if u := vm.Usage; u != nil {
			ch <- prometheus.MustNewConstMetric(vmCPUDesc, prometheus.CounterValue, u.CPU.Seconds(), vm.ID, vm.Name)
			gauge(vmRSSDesc, float64(u.Resident), vm.ID, vm.Name)
		}
	}
	for state, n := range byState {
		gauge(vmsDesc, float64(n), events.State(state))
	}
	gauge(memoryDesc, float64(s.Memory.Total), "total")
	gauge(memoryDesc, float64(s.Memory.Free), "free")
	gauge(memoryDesc, float64(s.Memory.Granted), "granted")
	gauge(memoryDesc, float64(s.Memory.Limit), "limit")
	gauge(memoryDesc, float64(s.Memory.Kept), "kept")
	up := 0
	for peer, connected := range s.Links {
		value := 0.0
		if connected {
			value = 1
			up++
		}
		gauge(linkDesc, value, peer)
	}
	gauge(linksDesc, float64(up))
	gauge(eventSeqDesc, float64(s.LastSeq))
}

func living(s pb.VMState) bool {
	switch s {
	case pb.VMState_VM_STATE_UNSPECIFIED, pb.VMState_VM_STATE_EXITED, pb.VMState_VM_STATE_LOST:
		return false
	}
	return true
}
