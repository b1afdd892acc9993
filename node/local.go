package node

import (
	"context"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// Local is a Unix socket whose connections know which process is at the other end.
func Local(l net.Listener) net.Listener { return localListener{l} }

type localListener struct{ net.Listener }

func (l localListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		who, err := credentials(c)
		if err == nil {
			return localConn{c, who}, nil
		}
		c.Close() // it is gone already
	}
}

// A localConn has the process at its other end as its remote address.
type localConn struct {
	net.Conn
	who localAddr
}

func (c localConn) RemoteAddr() net.Addr { return c.who }

// A localAddr is a process of this machine, when it connected.
type localAddr struct {
	uid uint32
	pid int32
}

func (a localAddr) Network() string { return "unix" }
func (a localAddr) String() string  { return fmt.Sprintf("user %d, process %d", a.uid, a.pid) }

// credentials asks the kernel who connected (unix(7), SO_PEERCRED).
func credentials(c net.Conn) (localAddr, error) {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return localAddr{}, fmt.Errorf("%s is no Unix socket", c.LocalAddr())
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return localAddr{}, err
	}
	var cred *unix.Ucred
	var credErr error
	if err := raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return localAddr{}, err
	}
	if credErr != nil {
		return localAddr{}, credErr
	}
	return localAddr{uid: cred.Uid, pid: cred.Pid}, nil
}

// asker is who a request came from, for the log.
func asker(ctx context.Context) string {
	p, ok := peer.FromContext(ctx)
	if !ok || p.Addr == nil {
		return "unknown"
	}
	return p.Addr.String()
}

// mayDecide lets root and the daemon's own user decide on trust. Others who can open the
// socket are operators, who may not make more of them.
func mayDecide(ctx context.Context) error {
	p, ok := peer.FromContext(ctx)
	if ok {
		who, ok := p.Addr.(localAddr)
		if ok && (who.uid == 0 || int(who.uid) == os.Getuid()) {
			return nil
		}
	}
	return status.Error(codes.PermissionDenied, "only root and the daemon's own user decide who is trusted: use sudo")
}
