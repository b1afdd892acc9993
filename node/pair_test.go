package node

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/isa"
	"github.com/migrated/migrated/node/console"
	"github.com/migrated/migrated/node/host"
	"github.com/migrated/migrated/node/link"
	"github.com/migrated/migrated/node/move"
	"github.com/migrated/migrated/node/trust"
	"github.com/migrated/migrated/node/trust/trusttest"
	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/hostabi"
	"github.com/migrated/migrated/vmm/vmmtest"
)

// A testNode is a daemon within the test.
type testNode struct {
	*Node
	t       *testing.T
	cfg     Config
	client  pb.NodeClient
	address string // by which other nodes can dial it
	faults  *faults
	memory  *memory
	conn    *grpc.ClientConn
	servers *Servers
}

// memory is what a test's machine has.
type memory struct {
	mu        sync.Mutex
	available uint64
}

func (m *memory) set(available uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.available = available
}

func (m *memory) read() (host.Memory, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return host.Memory{Total: 1 << 40, Available: m.available}, nil
}

// startNode starts a node of an ISA that dials the given peers.
func startNode(t *testing.T, name string, i *isa.ISA, peers ...link.Peer) *testNode {
	t.Helper()
	n := &testNode{t: t, faults: new(faults), memory: &memory{available: 1 << 30}}
	n.cfg = Config{
		Name:     name,
		StateDir: t.TempDir(),
		Trust:    newcomer(t, name),
		Host:     &host.Host{ISA: i, Levels: []string{i.Levels[0].Name}, Memory: n.memory.read},
		VMs:      n.faults,
		Settings: Settings{
			Peers:    peers,
			Timeouts: move.Timeouts{Quiesce: 300 * time.Millisecond, Stall: 2 * time.Second, Doubt: 2 * time.Second},
		},
		Link:    link.Config{Timeout: 2 * time.Second, KeepAlive: time.Second, Backoff: 10 * time.Millisecond, MaxBackoff: 50 * time.Millisecond},
		Log:     slog.New(slog.NewTextHandler(testLog{t, name}, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Version: "test",
	}
	n.start()
	t.Cleanup(n.stop)
	return n
}

// parties are those of each test that runs.
var parties sync.Map // *testing.T to []trusttest.Party

// newcomer is the identity of a node that the others of its test know, as it knows them.
func newcomer(t *testing.T, name string) *trust.Store {
	t.Helper()
	all, _ := parties.LoadOrStore(t, []trusttest.Party(nil))
	t.Cleanup(func() { parties.Delete(t) })
	known := all.([]trusttest.Party)
	p := trusttest.Party{Name: name, Store: trusttest.Open(t, "")}
	for _, other := range known {
		trusttest.Enrol(t, p, other)
	}
	parties.Store(t, append(known, p))
	return p.Store
}

// testLog puts a node's log into that of its test, as long as the test runs.
type testLog struct {
	t    *testing.T
	name string
}

func (l testLog) Write(p []byte) (int, error) {
	if l.t.Context().Err() == nil {
		l.t.Logf("%s: %s", l.name, bytes.TrimSpace(p))
	}
	return len(p), nil
}

// start opens the node's state and its sockets, at first or after stop.
func (n *testNode) start() {
	n.t.Helper()
	var err error
	if n.Node, err = New(n.cfg); err != nil {
		n.t.Fatal(err)
	}
	unix, err := net.Listen("unix", filepath.Join(n.t.TempDir(), "s"))
	if err != nil {
		n.t.Fatal(err)
	}
	address := n.address
	if address == "" {
		address = "127.0.0.1:0"
	}
	tcp, err := net.Listen("tcp", address)
	if err != nil {
		n.t.Fatal(err)
	}
	n.address = tcp.Addr().String()
	n.servers = n.NewServers()
	go n.servers.Operators.Serve(Local(unix))
	go n.servers.Peers.Serve(n.Hub().Control())
	go n.servers.Remote.Serve(n.Hub().Operators())
	go n.Hub().Serve(tcp)
	n.conn, err = grpc.NewClient("passthrough:///"+n.cfg.Name, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", unix.Addr().String())
		}))
	if err != nil {
		n.t.Fatal(err)
	}
	n.client = pb.NewNodeClient(n.conn)
}

// stop ends the node as a daemon that is told to.
func (n *testNode) stop() {
	if n.Node == nil {
		return
	}
	if err := n.Close(); err != nil {
		n.t.Errorf("close %s: %v", n.cfg.Name, err)
	}
	n.servers.Stop()
	n.conn.Close()
	n.Node = nil
}

// pair starts two nodes that know each other; which of them dials is drawn by the caller.
func pair(t *testing.T, boardDials bool) (server, board *testNode) {
	t.Helper()
	if boardDials {
		server = startNode(t, "server", isa.X86_64)
		board = startNode(t, "board", isa.AArch64, link.Peer{Name: "server", Address: server.address})
	} else {
		board = startNode(t, "board", isa.AArch64)
		server = startNode(t, "server", isa.X86_64, link.Peer{Name: "board", Address: board.address})
	}
	server.awaitLink("board")
	board.awaitLink("server")
	return server, board
}

func (n *testNode) awaitLink(peer string) *link.Link {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	l, err := n.hub.Wait(ctx, peer)
	if err != nil {
		n.t.Fatal(err)
	}
	return l
}

// patience bounds waiting for what must come; reaching it is a failure.
const patience = 30 * time.Second

// guestImage is an image file with a build for both ISAs. The fake does not run it.
func guestImage(t *testing.T) []byte {
	t.Helper()
	imageOnce.Do(func() {
		cfg, builds := vmmtest.Guest(t, isa.X86_64, isa.AArch64)
		m, err := image.New(&image.Contents{
			ABI: hostabi.Version, Name: "guest", StaticEnd: (cfg.StaticEnd + 4095) &^ 4095, Sites: []byte("none\n"), Layout: []byte("{}\n"), Builds: builds,
		})
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := m.Write(&b); err != nil {
			t.Fatal(err)
		}
		imageFile = b.Bytes()
	})
	if imageFile == nil {
		t.Fatal("the image could not be made: see an earlier test")
	}
	return imageFile
}

var (
	imageOnce sync.Once
	imageFile []byte
)

// importImage puts the image into a node's store.
func (n *testNode) importImage() *pb.Image {
	n.t.Helper()
	stream, err := n.client.ImportImage(n.t.Context())
	if err != nil {
		n.t.Fatal(err)
	}
	for file := guestImage(n.t); len(file) > 0; {
		piece := file[:min(len(file), 10000)]
		if err := stream.Send(&pb.ImportImageRequest{Data: piece}); err != nil {
			n.t.Fatal(err)
		}
		file = file[len(piece):]
	}
	m, err := stream.CloseAndRecv()
	if err != nil {
		n.t.Fatal(err)
	}
	return m
}

// tryRun starts a program of the image.
func (n *testNode) tryRun(spec *pb.RunSpec) (*pb.VM, error) {
	n.t.Helper()
	if spec.Image == "" {
		spec.Image = n.importImage().Digest
	}
	if spec.Memory == 0 {
		spec.Memory = 1 << 20
	}
	stream, err := n.client.Run(n.t.Context())
	if err != nil {
		n.t.Fatal(err)
	}
	if err := stream.Send(&pb.RunRequest{Part: &pb.RunRequest_Spec{Spec: spec}}); err != nil && !errors.Is(err, io.EOF) {
		n.t.Fatal(err)
	}
	return stream.CloseAndRecv()
}

// run is tryRun that must succeed.
func (n *testNode) run(name string, args ...string) *pb.VM {
	n.t.Helper()
	vm, err := n.tryRun(&pb.RunSpec{Name: name, Args: args})
	if err != nil {
		n.t.Fatal(err)
	}
	return vm
}

// tryMove moves a VM, by recall where to is empty.
func (n *testNode) tryMove(vm, to string) (*pb.Move, error) {
	var stream interface{ Recv() (*pb.MoveEvent, error) }
	var err error
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	if to == "" {
		stream, err = n.client.Recall(ctx, &pb.RecallRequest{Vm: vm})
	} else {
		stream, err = n.client.Offload(ctx, &pb.OffloadRequest{Vm: vm, To: to})
	}
	if err != nil {
		return nil, err
	}
	return accountOf(stream)
}

// accountOf follows a move to its end.
func accountOf(stream interface{ Recv() (*pb.MoveEvent, error) }) (account *pb.Move, err error) {
	for {
		event, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return account, nil
		}
		if err != nil {
			return nil, err
		}
		account = event.Move
	}
}

// move is tryMove that must succeed.
func (n *testNode) move(vm, to string) *pb.Move {
	n.t.Helper()
	account, err := n.tryMove(vm, to)
	if err != nil {
		n.t.Fatalf("move %s to %q: %v", vm, to, err)
	}
	if account == nil {
		n.t.Fatalf("move %s to %q: no account of it", vm, to)
	}
	return account
}

// logs reads a log to its end; follow waits for more.
func (n *testNode) logs(vm string, follow bool) string {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	stream, err := n.client.Logs(ctx, &pb.LogsRequest{Vm: vm, Follow: follow})
	if err != nil {
		n.t.Fatal(err)
	}
	var b bytes.Buffer
	for {
		chunk, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		if err != nil {
			n.t.Fatalf("logs of %s: %v", vm, err)
		}
		err = console.Each(chunk.Frames, func(_ vmm.Stream, p []byte) error {
			b.Write(p)
			return nil
		})
		if err != nil {
			n.t.Fatal(err)
		}
	}
}

// wait waits for a VM's end.
func (n *testNode) wait(vm string) *pb.VM {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	rec, err := n.client.Wait(ctx, &pb.VMRequest{Vm: vm})
	if err != nil {
		n.t.Fatal(err)
	}
	return rec
}

// inspect returns a VM's record.
func (n *testNode) inspect(vm string) *pb.VM {
	n.t.Helper()
	rec, err := n.client.Inspect(n.t.Context(), &pb.VMRequest{Vm: vm})
	if err != nil {
		n.t.Fatal(err)
	}
	return rec
}

// eventually waits until something holds.
func (n *testNode) eventually(what string, holds func() bool) {
	n.t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			n.t.Fatalf("%s: %s: not within %v", n.cfg.Name, what, patience)
		}
	}
}
