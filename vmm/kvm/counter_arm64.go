package kvm

// timing is how the guest's counter runs.
type timing struct {
	mult uint64 // ns per tick, 32.32 fixed point
}

// counterFrequency returns CNTFRQ_EL0, Hz.
func counterFrequency() uint64

// measure asks for the counter's frequency.
func (t *timing) measure(*Machine) error {
	if hz := counterFrequency(); hz != 0 {
		t.mult = (1000000000<<32 + hz/2) / hz
	}
	return nil
}

// Counter returns the guest's virtual count. The guest must be at a stop.
func (m *Machine) Counter() (now, mult uint64, err error) {
	if m.timing.mult == 0 {
		return 0, 0, nil
	}
	now, err = m.get(armTimerCount)
	return now, m.timing.mult, err
}
