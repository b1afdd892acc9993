package kvm

import "fmt"

// timing is how the guest's time stamp counter runs.
type timing struct {
	mult uint64 // ns per tick, 32.32 fixed point; 0: not to be trusted
}

// measure asks for the counter's frequency.
func (t *timing) measure(m *Machine) error {
	khz, err := m.vcpu.ioctl(kvmGetTSCkHz, 0)
	if err != nil || khz == 0 {
		return nil // unstable: the guest asks the host for the time
	}
	t.mult = (1000000<<32 + uint64(khz)/2) / uint64(khz)
	return nil
}

// msrTSC is IA32_TIME_STAMP_COUNTER (Intel SDM 4, table 2-2).
const msrTSC = 0x10

// Counter returns the guest's time stamp counter. The guest must be at a stop.
func (m *Machine) Counter() (now, mult uint64, err error) {
	if m.timing.mult == 0 {
		return 0, 0, nil
	}
	msr := x86MSR{n: 1, index: msrTSC}
	if err := call(m.vcpu, kvmGetMSRs, &msr); err != nil {
		return 0, 0, fmt.Errorf("read the guest's time stamp counter: %w", err)
	}
	return msr.value, m.timing.mult, nil
}
