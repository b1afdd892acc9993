package metrics

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/migrated/migrated/proto/migrated/v1"
)

func testMetrics() *Metrics {
	return New("here", "1", "x86_64", func() State {
		return State{
			VMs: []VM{
				{ID: "ab", Name: "lua", State: pb.VMState_VM_STATE_RUNNING, Here: true, Memory: 64 << 20,
					Usage: &Usage{CPU: 1500 * time.Millisecond, Resident: 5 << 20}},
				{ID: "cd", Name: "far", State: pb.VMState_VM_STATE_AWAY, Memory: 64 << 20},
				{ID: "ef", Name: "old", State: pb.VMState_VM_STATE_EXITED},
			},
			Memory: Memory{Total: 4 << 30, Free: 1 << 30, Granted: 64 << 20, Limit: 2 << 30, Kept: 512 << 20},
			Links:  map[string]bool{"board": true, "gone": false},
		}
	})
}

var discard = slog.New(slog.DiscardHandler)

// TestScrape scrapes by HTTP and parses what comes.
func TestScrape(t *testing.T) {
	m := testMetrics()
	for _, e := range []*pb.Event{
		{Kind: pb.EventKind_EVENT_KIND_VM_STARTED},
		{Kind: pb.EventKind_EVENT_KIND_VM_CRASHED},
		{Kind: pb.EventKind_EVENT_KIND_MOVE_BEGUN, From: "here", To: "board"},
		{Kind: pb.EventKind_EVENT_KIND_MOVE_DONE, From: "here", To: "board", MoveKind: pb.MoveKind_MOVE_KIND_PRECOPY, Account: &pb.Move{
			Downtime: durationpb.New(2 * time.Millisecond), Total: durationpb.New(time.Second),
			Transfer: durationpb.New(20 * time.Millisecond),
			Memory:   &pb.MemoryStats{Zero: 100, Sent: 7, RawBytes: 7 * 4096, WireBytes: 5000},
		}},
		{Kind: pb.EventKind_EVENT_KIND_MOVE_BEGUN, From: "board", To: "here"},
		{Kind: pb.EventKind_EVENT_KIND_MOVE_FAILED, From: "board", To: "here"},
		{Kind: pb.EventKind_EVENT_KIND_MOVE_BEGUN, From: "here", To: "board"},
		{Kind: pb.EventKind_EVENT_KIND_PEER_CONNECTED, Peer: "board"},
	} {
		m.Observe(e)
	}
	s, err := m.Serve("127.0.0.1:0", discard)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	url := "http://" + s.Address().String() + "/metrics"
	want := `
# HELP migrated_moves_total Moves that are over, by direction (out, in), kind (as chosen; unknown for those that come), and result: done, failed, in-doubt for those whose target has not answered yet.
# TYPE migrated_moves_total counter
migrated_moves_total{direction="in",kind="unknown",result="failed"} 1
migrated_moves_total{direction="out",kind="precopy",result="done"} 1
# HELP migrated_moves_running Moves that are under way, by direction.
# TYPE migrated_moves_running gauge
migrated_moves_running{direction="in"} 0
migrated_moves_running{direction="out"} 1
# HELP migrated_move_bytes_total Bytes of completed moves from here, by content: memory before compression (raw), memory as sent (wire), parts of images (image), frame records (records).
# TYPE migrated_move_bytes_total counter
migrated_move_bytes_total{content="image"} 0
migrated_move_bytes_total{content="raw"} 28672
migrated_move_bytes_total{content="records"} 0
migrated_move_bytes_total{content="wire"} 5000
# HELP migrated_vms VMs that are here or at home here and have not ended, by state.
# TYPE migrated_vms gauge
migrated_vms{state="arriving"} 0
migrated_vms{state="away"} 1
migrated_vms{state="moving"} 0
migrated_vms{state="running"} 1
migrated_vms{state="starting"} 0
# HELP migrated_memory_bytes Memory: total of the machine, free for a new VM, granted to VMs here, limit of all VMs together (0: none), kept of VMs that have left.
# TYPE migrated_memory_bytes gauge
migrated_memory_bytes{of="free"} 1.073741824e+09
migrated_memory_bytes{of="granted"} 6.7108864e+07
migrated_memory_bytes{of="kept"} 5.36870912e+08
migrated_memory_bytes{of="limit"} 2.147483648e+09
migrated_memory_bytes{of="total"} 4.294967296e+09
# HELP migrated_vm_cpu_seconds_total Processor time of a VM here, since it came.
# TYPE migrated_vm_cpu_seconds_total counter
migrated_vm_cpu_seconds_total{id="ab",vm="lua"} 1.5
# HELP migrated_links Nodes that are connected.
# TYPE migrated_links gauge
migrated_links 1
`
	err = testutil.ScrapeAndCompare(url, strings.NewReader(want), "migrated_moves_total", "migrated_moves_running", "migrated_move_bytes_total",
		"migrated_vms", "migrated_memory_bytes", "migrated_vm_cpu_seconds_total", "migrated_links")
	if err != nil {
		t.Error(err)
	}
	problems, err := testutil.GatherAndLint(m.registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("promlint: %v, %v", problems, err)
	}
	for path, code := range map[string]int{"/": 404, "/metrics": 200} {
		if got := status(t, http.DefaultClient, "http://"+s.Address().String()+path); got != code {
			t.Errorf("GET %s: %d, want %d", path, got, code)
		}
	}
	if answer, err := http.Post(url, "text/plain", strings.NewReader("x")); err != nil || answer.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %v, %v", answer, err)
	}
}

func status(t *testing.T, client *http.Client, url string) int {
	t.Helper()
	answer, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode
}

// TestUnixSocket: the socket is for owner and group, takes the place of a dead daemon's, and
// goes with the server.
func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metrics.sock")
	dead, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	dead.(*net.UnixListener).SetUnlinkOnClose(false)
	dead.Close()
	m := testMetrics()
	s, err := m.Serve("unix:"+path, discard)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("the socket: %v, %v", info.Mode(), err)
	}
	if _, err := m.Serve("unix:"+path, discard); err == nil || !strings.Contains(err.Error(), "another process listens") {
		t.Errorf("a second server: %v", err)
	}
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}}
	if code := status(t, client, "http://migrated/metrics"); code != 200 {
		t.Errorf("status %d", code)
	}
	client.CloseIdleConnections()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the socket is left behind: %v", err)
	}
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Serve("unix:"+path, discard); err == nil || !strings.Contains(err.Error(), "is no socket") {
		t.Errorf("in place of a file: %v", err)
	}
}

func TestCheckAddress(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:9370": "", "[::1]:9370": "", "localhost:9370": "", "unix:/run/m": "",
		"0.0.0.0:9370": "other machines", ":9370": "other machines", "example.org:80": "other machines",
		"9370": "want HOST:PORT", "unix:m": "absolute", "unix:": "absolute",
	} {
		err := CheckAddress(address)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", address, err, want)
		}
	}
}
