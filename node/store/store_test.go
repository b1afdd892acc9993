package store

import (
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	pb "github.com/migrated/migrated/proto/migrated/v1"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestSurvivesReopening: all that was put is there, and the node is still itself.
func TestSurvivesReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	s, err := Open(path)
	must(t, err)
	id := s.NodeID()
	vm := &pb.VM{Id: "1", Name: "a", Generation: 2}
	h := &pb.Handover{Token: []byte("token"), State: pb.HandoverState_HANDOVER_STATE_OWNER, Vm: "1"}
	must(t, s.TakeOver(h, vm))
	must(t, s.PutVM(&pb.VM{Id: "2"}))
	must(t, s.DeleteVM("2"))
	must(t, s.PutHandover(&pb.Handover{Token: []byte("other")}))
	must(t, s.DeleteHandover([]byte("other")))
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "another daemon") {
		t.Errorf("opened twice: %v", err)
	}
	must(t, s.Close())

	s, err = Open(path)
	must(t, err)
	defer s.Close()
	if s.NodeID() != id || len(id) != 32 {
		t.Errorf("the node was %s and is %s", id, s.NodeID())
	}
	vms, err := s.VMs()
	if err != nil || len(vms) != 1 || !proto.Equal(vms[0], vm) {
		t.Errorf("VMs %v, %v", vms, err)
	}
	if got, err := s.Handover([]byte("token")); err != nil || !proto.Equal(got, h) {
		t.Errorf("hand-over %v, %v", got, err)
	}
	if got, err := s.Handover([]byte("other")); err != nil || got != nil {
		t.Errorf("hand-over that was deleted: %v, %v", got, err)
	}
	if all, err := s.Handovers(); err != nil || len(all) != 1 {
		t.Errorf("hand-overs %v, %v", all, err)
	}
}
