package programs_test

import "testing"

// TestTorture runs the tests of GNU C that GCC runs its own code with.
func TestTorture(t *testing.T) {
	expensive(t, "150 s of CPU time, and their run as much again")
	suite{name: "torture", least: 1500, atOnce: 2, gap: 3}.run(t)
}
