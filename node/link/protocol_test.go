package link

import (
	"strings"
	"testing"

	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// A node of another version is refused, in words that say what to do.
func TestOtherProtocol(t *testing.T) {
	h := &Hub{cfg: Config{Self: func() *pb.NodeInfo { return &pb.NodeInfo{Name: "a", Version: "2"} }}}
	for _, version := range []uint32{0, Protocol - 1, Protocol + 1} {
		err := h.acceptable(&pb.NodeInfo{Name: "b", Version: "1", Protocol: version})
		if err == nil || !strings.Contains(err.Error(), "b (migrated 1) speaks version") || !strings.Contains(err.Error(), "install one version") {
			t.Errorf("version %d: %v", version, err)
		}
	}
	if err := h.acceptable(h.self()); err == nil || strings.Contains(err.Error(), "protocol") {
		t.Errorf("this version: %v", err)
	}
}
