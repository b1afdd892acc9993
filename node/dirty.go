package node

import "sync"

// dirtySet holds VMs whose records have changed since they were last written.
type dirtySet struct {
	mu   sync.Mutex
	vms  map[*VM]bool
	more chan struct{} // has something when vms has
}

func newDirtySet() *dirtySet {
	return &dirtySet{vms: make(map[*VM]bool), more: make(chan struct{}, 1)}
}

func (d *dirtySet) add(vm *VM) {
	d.mu.Lock()
	d.vms[vm] = true
	d.mu.Unlock()
	select {
	case d.more <- struct{}{}:
	default:
	}
}

func (d *dirtySet) take() map[*VM]bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	vms := d.vms
	d.vms = make(map[*VM]bool)
	return vms
}

// writeRecords writes what was noted, until the node shuts down.
func (n *Node) writeRecords() {
	for {
		select {
		case <-n.dirty.more:
			n.flush()
		case <-n.ctx.Done():
			return
		}
	}
}

// flush writes what was noted. A failing disk can only be reported: whoever noted it has
// gone on.
func (n *Node) flush() {
	for vm := range n.dirty.take() {
		if err := vm.write(); err != nil {
			n.log.Error("keep record", "vm", vm.id, "err", err)
		}
	}
}
