package kvm_test

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/kvm/kvmtest"
	"github.com/migrated/migrated/vmm/userfault"
)

// A guest that touches a page which is missing waits for it in KVM_RUN, and goes on with what
// is placed there.
func TestUserfault(t *testing.T) {
	needKVM(t)
	a := kvmtest.Userfault(t)
	if a == nil {
		t.Skip("without userfaultfd")
	}
	m := newProbe(t, program(t, "probe", hostISA()), doTouch)
	m.run(t, vmm.StopDoorbell) // the pages that it stands on are there
	check(t, a.Watch(m.Portable()))
	faults := make(chan uint64)
	go func() {
		defer close(faults)
		for {
			page, err := a.Fault()
			if err != nil {
				return
			}
			content := bytes.Repeat(binary.LittleEndian.AppendUint64(nil, page*1000), userfault.PageSize/8)
			if ok, err := a.Copy(page, content); !ok || err != nil {
				t.Errorf("page %d: %v, %v", page, ok, err)
			}
			faults <- page
		}
	}()
	for _, page := range []uint64{900, 301, 1023, 512} {
		got := make(chan uint64)
		go func() { got <- m.look(t, page) }()
		select {
		case p := <-faults:
			if p != page {
				t.Errorf("fault at page %d, want %d", p, page)
			}
		case <-time.After(time.Minute):
			t.Fatal("no fault")
		}
		if v := <-got; v != page*1000 {
			t.Errorf("page %d holds %d", page, v)
		}
		if v := m.touch(t, page); v != page*1000+1 {
			t.Errorf("page %d then holds %d", page, v)
		}
	}
	check(t, a.Close())
	for range faults {
	}
	if v := m.look(t, 700); v != 0 {
		t.Errorf("after the end a page that was never there holds %d", v)
	}
}
