// Package metrics counts what happens on a node, for Prometheus.
package metrics

import (
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/migrated/migrated/node/events"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// Metrics of one node. All but what State tells is counted from the node's events.
type Metrics struct {
	node     string
	registry *prometheus.Registry

	vmsStarted prometheus.Counter
	vmsEnded   *prometheus.CounterVec // result

	moves        *prometheus.CounterVec // direction, kind, result
	movesRunning *prometheus.GaugeVec   // direction
	phases       *prometheus.HistogramVec
	downtime     *prometheus.HistogramVec // kind
	duration     *prometheus.HistogramVec // kind
	bytes        *prometheus.CounterVec   // content
	pages        *prometheus.CounterVec   // how
	connects     *prometheus.CounterVec   // peer
	events       *prometheus.CounterVec   // kind
	faults       prometheus.Counter
}

// Directions of a move, as seen from the node.
const (
	out = "out"
	in  = "in"
)

// New makes the metrics of a node; state is asked at each scrape.
func New(node, version, isa string, state func() State) *Metrics {
	m := &Metrics{node: node, registry: prometheus.NewRegistry()}
	m.vmsStarted = counter(m, "vms_started_total", "VMs that were started here.")
	m.vmsEnded = counters(m, "vms_ended_total", "VMs that have ended here, by result: exited, crashed, lost.", "result")
	m.moves = counters(m, "moves_total",
		"Moves that are over, by direction (out, in), kind (as chosen; unknown for those that come), and result: done, failed, in-doubt for those whose target has not answered yet.",
		"direction", "kind", "result")
	m.movesRunning = register(m, prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "migrated_moves_running", Help: "Moves that are under way, by direction.",
	}, []string{"direction"}))
	m.phases = histograms(m, "move_phase_seconds", "How long each phase of a completed move from here took.", "phase")
	m.downtime = histograms(m, "move_downtime_seconds", "For how long no guest code ran in a completed move from here.", "kind")
	m.duration = histograms(m, "move_seconds", "How long a completed move from here took in all.", "kind")
	m.bytes = counters(m, "move_bytes_total",
		"Bytes of completed moves from here, by content: memory before compression (raw), memory as sent (wire), parts of images (image), frame records (records).",
		"content")
	m.pages = counters(m, "move_pages_total", "Pages of completed moves from here: those that do not travel (zero; same as another; base: the target had it), those sent whole (sent) or as what changed (delta), and those left to post-copy (later).", "how")
	m.faults = counter(m, "post_copy_faults_total", "Pages that VMs which came by post-copy have waited for.")
	m.connects = counters(m, "link_connects_total", "Times that a node has become connected.", "peer")
	m.events = counters(m, "events_total", "Events, by kind, as `migratectl events` lists them.", "kind")
	for _, direction := range []string{in, out} {
		m.movesRunning.WithLabelValues(direction)
	}
	for _, result := range []string{"exited", "crashed", "lost"} {
		m.vmsEnded.WithLabelValues(result)
	}

	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "migrated_info", Help: "Always 1; what the node is.",
		ConstLabels: prometheus.Labels{"node": node, "version": version, "isa": isa, "go": runtime.Version()},
	})
	info.Set(1)
	m.registry.MustRegister(info, &stateCollector{state},
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewGoCollector())
	return m
}

// Registry holds all of them.
func (m *Metrics) Registry() prometheus.Gatherer { return m.registry }

// Filled counts what a VM that came by post-copy has waited for until all of it was here.
func (m *Metrics) Filled(faults uint64) { m.faults.Add(float64(faults)) }

// Observe counts an event.
func (m *Metrics) Observe(e *pb.Event) {
	m.events.WithLabelValues(events.Kind(e.Kind)).Inc()
	if ended(e.Kind) && e.Peer != "" {
		return // the node where it was counts it
	}
	switch e.Kind {
	case pb.EventKind_EVENT_KIND_VM_STARTED:
		m.vmsStarted.Inc()
	case pb.EventKind_EVENT_KIND_VM_EXITED:
		m.vmsEnded.WithLabelValues("exited").Inc()
	case pb.EventKind_EVENT_KIND_VM_CRASHED:
		m.vmsEnded.WithLabelValues("crashed").Inc()
	case pb.EventKind_EVENT_KIND_VM_LOST:
		m.vmsEnded.WithLabelValues("lost").Inc()
	case pb.EventKind_EVENT_KIND_MOVE_BEGUN:
		m.movesRunning.WithLabelValues(m.direction(e)).Inc()
	case pb.EventKind_EVENT_KIND_MOVE_IN_DOUBT:
		m.moves.WithLabelValues(m.direction(e), kind(e), "in-doubt").Inc()
	case pb.EventKind_EVENT_KIND_MOVE_FAILED:
		m.movesRunning.WithLabelValues(m.direction(e)).Dec()
		m.moves.WithLabelValues(m.direction(e), kind(e), "failed").Inc()
	case pb.EventKind_EVENT_KIND_MOVE_DONE:
		m.movesRunning.WithLabelValues(m.direction(e)).Dec()
		m.moves.WithLabelValues(m.direction(e), kind(e), "done").Inc()
		if e.Account != nil {
			m.account(e.Account, kind(e))
		}
	case pb.EventKind_EVENT_KIND_PEER_CONNECTED:
		m.connects.WithLabelValues(e.Peer).Inc()
	}
}

func ended(k pb.EventKind) bool {
	switch k {
	case pb.EventKind_EVENT_KIND_VM_EXITED, pb.EventKind_EVENT_KIND_VM_CRASHED, pb.EventKind_EVENT_KIND_VM_LOST:
		return true
	}
	return false
}

func (m *Metrics) direction(e *pb.Event) string {
	if e.From == m.node {
		return out
	}
	return in
}

// kind is how a move was made, where this node knows it: its source does.
func kind(e *pb.Event) string {
	if k := events.MoveKind(e.MoveKind); k != "" {
		return k
	}
	return "unknown"
}

// account counts what a completed move says of itself.
func (m *Metrics) account(a *pb.Move, kind string) {
	for phase, took := range map[pb.MovePhase]time.Duration{
		pb.MovePhase_MOVE_PHASE_PREPARE:  a.Prepare.AsDuration(),
		pb.MovePhase_MOVE_PHASE_QUIESCE:  a.Quiesce.AsDuration(),
		pb.MovePhase_MOVE_PHASE_COPY:     a.Copy.AsDuration(),
		pb.MovePhase_MOVE_PHASE_TRANSFER: a.Transfer.AsDuration() - a.Copy.AsDuration(),
		pb.MovePhase_MOVE_PHASE_VERIFY:   a.Verify.AsDuration(),
		pb.MovePhase_MOVE_PHASE_START:    a.Start.AsDuration(),
	} {
		m.phases.WithLabelValues(events.Phase(phase)).Observe(took.Seconds())
	}
	m.downtime.WithLabelValues(kind).Observe(a.Downtime.AsDuration().Seconds())
	m.duration.WithLabelValues(kind).Observe(a.Total.AsDuration().Seconds())
	for content, n := range map[string]uint64{
		"raw": a.Memory.GetRawBytes(), "wire": a.Memory.GetWireBytes(), "image": a.ImageBytes, "records": a.RecordBytes,
	} {
		m.bytes.WithLabelValues(content).Add(float64(n))
	}
	for how, n := range map[string]uint64{
		"zero": a.Memory.GetZero(), "sent": a.Memory.GetSent(), "delta": a.Memory.GetDelta(),
		"same": a.Memory.GetSame(), "base": a.Memory.GetBase(), "later": a.Memory.GetLater(),
	} {
		m.pages.WithLabelValues(how).Add(float64(n))
	}
}

func register[C prometheus.Collector](m *Metrics, c C) C {
	m.registry.MustRegister(c)
	return c
}

func counter(m *Metrics, name, help string) prometheus.Counter {
	return register(m, prometheus.NewCounter(prometheus.CounterOpts{Name: "migrated_" + name, Help: help}))
}

func counters(m *Metrics, name, help string, labels ...string) *prometheus.CounterVec {
	return register(m, prometheus.NewCounterVec(prometheus.CounterOpts{Name: "migrated_" + name, Help: help}, labels))
}

func histograms(m *Metrics, name, help string, labels ...string) *prometheus.HistogramVec {
	return register(m, prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "migrated_" + name, Help: help, Buckets: prometheus.ExponentialBuckets(0.0001, 3, 13), // 0.1 ms to 53 s
	}, labels))
}
