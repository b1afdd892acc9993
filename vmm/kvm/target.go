package kvm

import "github.com/migrated/migrated/isa"

// A target is how a guest of one ISA is set up in memory. It is data, the same on every
// host; what its processor needs beside is in the files of that host.
type target struct {
	isa     *isa.ISA
	tables  *tableFormat
	gate    []byte // the doorbell's code, at hostabi.GateBase
	monitor []byte // at monitorCode
}
