package node

import (
	"strings"
	"testing"

	"github.com/migrated/migrated/node/host"
)

func TestBudget(t *testing.T) {
	const mib = 1 << 20
	available := uint64(headroom + 100*mib)
	b := &budget{host: &host.Host{Memory: func() (host.Memory, error) {
		return host.Memory{Total: 1 << 30, Available: available}, nil
	}}, limit: 150 * mib}
	first, err := b.reserve(60 * mib)
	if err != nil {
		t.Fatal(err)
	}
	// What is promised cannot be promised again, though the machine still shows it as free.
	if _, err := b.reserve(50 * mib); err == nil || !strings.Contains(err.Error(), "40 MiB are free") {
		t.Errorf("memory was promised twice: %v", err)
	}
	// Once it is used, the machine shows it.
	first.tap()
	first.tap()
	available -= 10 * mib // of 60, what the VM touched
	second, err := b.reserve(90 * mib)
	if err != nil {
		t.Fatal(err)
	}
	available = 1 << 30
	if _, err := b.reserve(mib); err == nil || !strings.Contains(err.Error(), "of the 150 MiB that VMs may have here 150 MiB are taken") {
		t.Errorf("more than the limit: %v", err)
	}
	first.release()
	first.release()
	second.release()
	if b.granted != 0 || b.untapped != 0 {
		t.Errorf("%d granted and %d untapped of nothing", b.granted, b.untapped)
	}
	if _, err := b.reserve(^uint64(0)); err == nil {
		t.Error("all memory there could be was granted")
	}
}
