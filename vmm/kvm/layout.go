package kvm

import (
	"fmt"

	"github.com/migrated/migrated/vmm"
	"github.com/migrated/migrated/vmm/hostabi"
)

// A guestPhys is a guest-physical address.
type guestPhys uint64

// The guest-physical address space. Private memory begins at 0 and ends below the device
// pages, which no memory slot covers: a store there is an exit that names the address.
const (
	devicePhys   guestPhys = 0xe0000000
	doorbellPhys           = devicePhys + 0*hostabi.PageSize
	reportPhys             = devicePhys + 1*hostabi.PageSize
	portablePhys guestPhys = 1 << 32
)

// The monitor is what runs above the guest's privilege: code that reports a fault by a store
// to the report page. The guest cannot reach its addresses.
const (
	monitorBase   vmm.GuestVirt = 0x7f00000000
	monitorCode                 = monitorBase + 0*hostabi.PageSize
	monitorStack                = monitorBase + 1*hostabi.PageSize
	monitorReport               = monitorBase + 2*hostabi.PageSize
)

// A perm says what may be done with a region beside reading it.
type perm uint8

const (
	permWrite   perm = 1 << iota
	permExec         // never together with permWrite
	permMonitor      // by the monitor alone
	permDevice       // there is no memory behind it
)

// A region is one range of virtual addresses of a guest, whole pages.
type region struct {
	virt vmm.GuestVirt
	size uint64 // bytes
	perm perm
	phys guestPhys
}

// private says whether the region lies in private memory.
func (r *region) private() bool { return r.phys < devicePhys }

// planRegions lays out a guest that runs p with memory bytes of portable memory. It returns
// all regions, and where private memory ends.
func planRegions(p *vmm.Program, memory uint64) ([]region, guestPhys, error) {
	const ringBytes = (128 + hostabi.RingSize + hostabi.PageSize - 1) &^ (hostabi.PageSize - 1)
	regions := []region{
		{virt: hostabi.CtlBase, size: hostabi.PageSize, perm: permWrite},
		{virt: hostabi.GateBase, size: hostabi.PageSize, perm: permExec},
		{virt: hostabi.OutRingBase, size: ringBytes, perm: permWrite},
		{virt: hostabi.InRingBase, size: ringBytes, perm: permWrite},
		{virt: hostabi.CPUStackBase, size: hostabi.CPUStackSize, perm: permWrite},
		{virt: monitorCode, size: hostabi.PageSize, perm: permMonitor | permExec},
		{virt: monitorStack, size: hostabi.PageSize, perm: permMonitor | permWrite},
	}
	for i := range p.Segments {
		s := &p.Segments[i]
		if s.Portable() {
			continue
		}
		r := region{}
		r.virt, r.size = s.Pages()
		if s.Write {
			r.perm |= permWrite
		}
		if s.Exec {
			r.perm |= permExec
		}
		regions = append(regions, r)
	}
	// They cost address space, and what the host's KVM keeps for each page that might be used
	// (8 bytes a page on x86).
	for i := range hostabi.MaxThreads {
		start, size := hostabi.MachineStack(i)
		regions = append(regions, region{virt: vmm.GuestVirt(start), size: size, perm: permWrite})
	}
	var end guestPhys
	for i := range regions {
		r := &regions[i]
		r.phys = place(end, r)
		end = r.phys + guestPhys(r.size)
		if end > devicePhys {
			return nil, 0, fmt.Errorf("a program of %d segments does not fit into %#x bytes of private memory", len(p.Segments), uint64(devicePhys))
		}
	}
	return append(regions,
		region{virt: hostabi.DoorbellBase, size: hostabi.PageSize, perm: permDevice | permWrite, phys: doorbellPhys},
		region{virt: monitorReport, size: hostabi.PageSize, perm: permDevice | permMonitor | permWrite, phys: reportPhys},
		region{virt: hostabi.PortableBase, size: memory, perm: permWrite, phys: portablePhys},
	), end, nil
}

// place finds the first address from end on where the region can be. One with room for a
// large page gets the offset in it that its virtual address has.
func place(end guestPhys, r *region) guestPhys {
	if r.size < largePage {
		return end
	}
	return end + (guestPhys(r.virt)-end)%largePage
}
