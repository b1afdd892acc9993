package toolchain

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// codeGen returns clang's options for the code of a build.
func (p *pipeline) codeGen(t Target) []string {
	return append([]string{
		"--target=" + t.ISA.Triple, "-march=" + t.Level.March, "-O3",
		"-fno-pic", "-fno-pie", "-mcmodel=small", "-ffunction-sections",
		"-fasynchronous-unwind-tables", "-fno-stack-protector", "-ffp-contract=off",
		// Behind an invoke nothing can be reloaded: a value that its save pad finds in memory
		// is in memory wherever the call returns to, unless that edge has a block of its own.
		"-mllvm", "-phi-elim-split-all-critical-edges",
		// LLVM 19 no longer copies an interpreter's dispatch behind each of its instructions
		// (llvm/llvm-project#106846): a quarter of its speed.
		"-mllvm", "-tail-dup-pred-size=1000", "-mllvm", "-tail-dup-succ-size=1000",
		// There are no variables to locate, but on x86-64 LLVM would look for them.
		"-mllvm", "-experimental-debug-variable-locations=false",
	}, t.ISA.CodeGen...)
}

// targetOptions are those of migrated-target.
func targetOptions(t Target) []string {
	return []string{
		"-migrated-triple=" + t.ISA.Triple, "-migrated-datalayout=" + t.ISA.DataLayout, "-migrated-tune=" + t.Level.Tune,
		fmt.Sprintf("-migrated-poll=__mig_poll_%d", t.Level.PollBits), // kernel/arch/*/poll.S
	}
}

// targetArgs have clang begin with migrated-target.
func (p *pipeline) targetArgs(t Target) []string {
	args := []string{
		// Loaded before options are read, so that it has options too.
		"-Xclang", "-load", "-Xclang", p.Plugin, "-fpass-plugin=" + p.Plugin,
		"-Wno-override-module", // the neutral target is meant to be overridden
	}
	for _, option := range targetOptions(t) {
		args = append(args, "-mllvm", option)
	}
	return args
}

// A program is cut into parts of about partSize, bytes of bitcode: in one of 2 MiB two cores have no
// work for long. How many there are must not depend on the machine.
const (
	partSize = 2 << 20
	maxParts = 16
)

// parts returns into how many parts a portable program is cut.
func (p *pipeline) parts(size int64) int {
	if p.link.parts > 0 {
		return p.link.parts
	}
	return int(max(1, min(maxParts, size/partSize)))
}

// objects compiles the portable program for one build.
func (p *pipeline) objects(portable string, t Target) ([]string, error) {
	info, err := os.Stat(portable)
	if err != nil {
		return nil, err
	}
	args := slices.Clip(append(p.codeGen(t), p.targetArgs(t)...))
	n := p.parts(info.Size())
	if n == 1 {
		object, err := p.object(portable, args)
		return []string{object}, err
	}
	dir, err := p.optimise(portable, args, n)
	if err != nil {
		return nil, err
	}
	objects := make([]string, n)
	args = slices.Clip(append(p.codeGen(t), "-Xclang", "-disable-llvm-passes"))
	err = p.each(n, func(p *pipeline, n int) (err error) {
		objects[n], err = p.object(filepath.Join(dir, partName(n)), args)
		return err
	})
	return objects, err
}

func partName(n int) string { return fmt.Sprintf("%d.bc", n) }

// optimise is the first half of objects: it returns a directory with the program in n parts.
func (p *pipeline) optimise(portable string, args []string, n int) (string, error) {
	key := p.clangKey("optimise 1", portable, append(args, fmt.Sprint(n)))
	return p.Cache.Do(key, p.dir, func(dir string) error {
		return p.clangOn(portable, append(args, "-emit-llvm",
			"-mllvm", fmt.Sprintf("-migrated-parts=%d", n), "-mllvm", "-migrated-parts-dir="+dir,
			"-o", filepath.Join(dir, partName(0))))
	})
}

// object compiles bitcode to an object file.
func (p *pipeline) object(bitcode string, args []string) (string, error) {
	dir, err := p.Cache.Do(p.clangKey("object 2", bitcode, args), p.dir, func(dir string) error {
		return p.clangOn(bitcode, append(args, "-o", filepath.Join(dir, "program.o")))
	})
	return filepath.Join(dir, "program.o"), err
}

func (p *pipeline) clangKey(step, bitcode string, args []string) *Key {
	key := NewKey(step)
	key.Program(clang)
	key.File(p.Plugin)
	key.File(bitcode)
	key.Strings(args...)
	return key
}

func (p *pipeline) clangOn(bitcode string, args []string) error {
	info, err := os.Stat(bitcode)
	if err != nil {
		return err
	}
	return p.onCore(info.Size(), clang, append(args, "-c", "-x", "ir", bitcode)...)
}
