package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/migrated/migrated/node/rpcerror"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// An app is what all commands share.
type app struct {
	stdin          *os.File
	stdout, stderr *os.File
	socket         string
	node           string // one elsewhere, in place of the socket's
	output         string // "table" or "json"
}

const defaultSocket = "/run/migrated/migrated.sock"

func (a *app) globalFlags(root *cobra.Command) {
	socket := defaultSocket
	if s := os.Getenv("MIGRATED_SOCKET"); s != "" {
		socket = s
	}
	flags := root.PersistentFlags()
	flags.StringVarP(&a.socket, "socket", "S", socket, "the daemon's Unix socket (MIGRATED_SOCKET)")
	flags.StringVarP(&a.node, "node", "N", os.Getenv("MIGRATED_NODE"), "a node elsewhere, by name, HOST:PORT or NAME=HOST:PORT; migratectl login comes first (MIGRATED_NODE)")
	flags.StringVarP(&a.output, "output", "o", "table", "table or json")
	root.PersistentPreRunE = func(*cobra.Command, []string) error {
		if a.output != "table" && a.output != "json" {
			return usagef("--output %q: want table or json", a.output)
		}
		return nil
	}
	_ = root.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json"}, cobra.ShellCompDirectiveNoFileComp))
}

// dial connects to the daemon.
func (a *app) dial() (*grpc.ClientConn, error) {
	dialer := func(ctx context.Context, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", a.socket)
	}
	if a.node != "" {
		remote, err := a.remote()
		if err != nil {
			return nil, err
		}
		dialer = remote
	}
	return grpc.NewClient("passthrough:///daemon",
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithContextDialer(dialer),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: redial, MinConnectTimeout: 20 * time.Second}))
}

// redial is for a daemon that is started again: somebody looks at a terminal.
var redial = backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second}

// with connects, calls f, and explains an error of the connection. The context ends with
// the first interrupt.
func (a *app) with(cmd *cobra.Command, f func(context.Context, pb.NodeClient) error) error {
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	err := a.withContext(ctx, f)
	if st, ok := rpcerror.Find(err); ok && st.Code() == codes.Canceled && ctx.Err() != nil {
		return errInterrupted
	}
	return err
}

// errInterrupted is the error of what is called off by a signal.
var errInterrupted = errors.New("it was called off")

func (a *app) withContext(ctx context.Context, f func(context.Context, pb.NodeClient) error) error {
	conn, err := a.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.Connect() // while f prepares what it will ask
	return a.explain(f(ctx, pb.NewNodeClient(conn)))
}

// withTrust is with for decisions on trust, which are made at the machine itself.
func (a *app) withTrust(cmd *cobra.Command, f func(context.Context, pb.TrustClient) error) error {
	if a.node != "" {
		return usagef("%s: whom a node trusts is decided on that node's own machine: leave out --node", cmd.CommandPath())
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	conn, err := a.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	return a.explain(f(ctx, pb.NewTrustClient(conn)))
}

// explain says what to do where the daemon cannot be reached, or is not any more.
func (a *app) explain(err error) error {
	st, ok := rpcerror.Find(err)
	if !ok || st.Code() != codes.Unavailable {
		return err
	}
	if strings.Contains(st.Message(), "error reading from server") { // gRPC's words
		if a.node != "" {
			return fmt.Errorf("the connection to %s has ended: its daemon has, or it has revoked this user", a.node)
		}
		return errors.New("the daemon has ended: try again when it runs")
	}
	if !strings.Contains(st.Message(), "connection error") {
		return err
	}
	if a.node != "" {
		_, why, _ := strings.Cut(st.Message(), "connection error: desc = ")
		return fmt.Errorf("cannot reach %s: %s", a.node, why)
	}
	why := "no daemon answers there"
	switch {
	case strings.Contains(st.Message(), unix.EACCES.Error()):
		why = "you may not open it: use sudo, or have your user added to the socket's group"
	case strings.Contains(st.Message(), unix.ENOENT.Error()):
		why = "it does not exist"
	}
	return fmt.Errorf("cannot reach the daemon at %s: %s; start `migrated`, or name its socket with --socket", a.socket, why)
}

// print writes a record as JSON, or calls table.
func (a *app) print(record any, table func(io.Writer) error) error {
	if a.output == "json" {
		enc := json.NewEncoder(a.stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(record)
	}
	return table(a.stdout)
}

// isTerminal says whether people look at a file.
func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// each calls f for all that a stream yields.
func each[T any](stream interface{ Recv() (*T, error) }, f func(*T) error) error {
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := f(m); err != nil {
			return err
		}
	}
}
