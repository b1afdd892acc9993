package toolchain

import "fmt"

// An FP says how a*b+c within one expression is computed, alike in all builds of an image.
type FP string

const (
	// FPAuto is FPFused where every build has an instruction for it, else FPSeparate.
	FPAuto FP = ""
	// FPFused rounds once, as clang's -ffp-contract=on. Builds without an instruction for it
	// call libc's fma, which is slow.
	FPFused FP = "fused"
	// FPSeparate rounds the product too.
	FPSeparate FP = "separate"
)

// ParseFP reads the value of --fp.
func ParseFP(s string) (FP, error) {
	switch fp := FP(s); fp {
	case FPFused, FPSeparate:
		return fp, nil
	}
	return "", fmt.Errorf("--fp is %s or %s, not %q", FPFused, FPSeparate, s)
}

// hasFMA reports whether every build has fused multiply-add as an instruction.
func (l *Link) hasFMA() bool {
	for _, t := range l.Targets {
		if !t.Level.FMA {
			return false
		}
	}
	return true
}

// fused reports whether a*b+c is rounded once.
func (l *Link) fused() bool {
	return l.FP == FPFused || l.FP == FPAuto && l.hasFMA()
}

// fpArgs returns the options of migrated-math (compiler/math.cpp).
func (l *Link) fpArgs() []string {
	var args []string
	if l.hasFMA() {
		args = append(args, "-migrated-hardware-fma")
	}
	if l.fused() {
		args = append(args, "-migrated-fuse")
	}
	return args
}

// fpNeeds returns functions of libc that migrated-math may make calls of after libc is linked.
func (l *Link) fpNeeds() []string {
	if l.fused() && !l.hasFMA() {
		return []string{"fma", "fmaf"}
	}
	return nil
}
