package programs_test

import "testing"

// TestPOSIX runs the tests of interfaces of the Open POSIX Test Suite. Most of them sleep.
func TestPOSIX(t *testing.T) {
	expensive(t, "150 s of CPU time, and their run ten minutes")
	suite{name: "posixtestsuite", least: 1000, atOnce: 12, gap: 40, built: true}.run(t)
}
