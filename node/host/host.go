// Package host says what this machine offers to VMs: its instruction set, CPU levels and
// memory.
package host

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/isa"
)

// A Host is a machine that runs VMs.
type Host struct {
	ISA    *isa.ISA
	Levels []string // names of the CPU levels that it has, the most modest first
	Memory func() (Memory, error)
}

// Memory of a machine, bytes.
type Memory struct {
	Total     uint64
	Available uint64 // without swapping, as the kernel estimates it
}

// Detect looks at this machine.
func Detect() (*Host, error) {
	i := isa.ByOCI(runtime.GOARCH)
	if i == nil {
		return nil, fmt.Errorf("no VM can run on %s", runtime.GOARCH)
	}
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return nil, fmt.Errorf("read CPU features: %w", err)
	}
	defer f.Close()
	features, err := parseCPUInfo(f)
	if err != nil {
		return nil, fmt.Errorf("read CPU features: %w", err)
	}
	return &Host{ISA: i, Levels: i.Supported(features), Memory: readMemory}, nil
}

// Select returns the build of an image that suits the host best, of all that the config
// names: also of those that are not here yet.
func (h *Host) Select(cfg *image.Config) (image.BuildInfo, error) {
	best, rank := image.BuildInfo{}, -1
	var offers []string
	for _, b := range cfg.Builds {
		offers = append(offers, b.ISA+"/"+b.Level)
		if b.ISA != h.ISA.Name || !slices.Contains(h.Levels, b.Level) {
			continue
		}
		if r := h.ISA.Rank(b.Level); r > rank {
			best, rank = b, r
		}
	}
	if rank < 0 {
		return best, fmt.Errorf("%w: the image has %s; the host is %s (%s)", image.ErrNoBuild,
			strings.Join(offers, ", "), h.ISA.Name, strings.Join(h.Levels, ", "))
	}
	return best, nil
}

// parseCPUInfo returns the features that every processor of /proc/cpuinfo has; the line is
// called "flags" on x86 and "Features" on Arm.
func parseCPUInfo(r io.Reader) ([]string, error) {
	var common map[string]bool
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), ":")
		switch strings.TrimSpace(key) {
		case "flags", "Features":
		default:
			continue
		}
		has := make(map[string]bool)
		for _, word := range strings.Fields(value) {
			if common == nil || common[word] {
				has[word] = true
			}
		}
		common = has
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if common == nil {
		return nil, errors.New("no processor lists its features")
	}
	return slices.Sorted(maps.Keys(common)), nil
}

func readMemory() (Memory, error) {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return Memory{}, fmt.Errorf("read free memory: %w", err)
	}
	defer f.Close()
	return parseMemInfo(f)
}

// parseMemInfo reads /proc/meminfo, whose values are in KiB (proc_meminfo(5)).
func parseMemInfo(r io.Reader) (Memory, error) {
	var m Memory
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), ":")
		var field *uint64
		switch key {
		case "MemTotal":
			field = &m.Total
		case "MemAvailable":
			field = &m.Available
		default:
			continue
		}
		kib, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 53)
		if err != nil {
			return Memory{}, fmt.Errorf("read free memory: %s: %w", key, err)
		}
		*field = kib << 10
	}
	if err := lines.Err(); err != nil {
		return Memory{}, fmt.Errorf("read free memory: %w", err)
	}
	if m.Total == 0 || m.Available == 0 {
		return Memory{}, errors.New("read free memory: /proc/meminfo does not say")
	}
	return m, nil
}
