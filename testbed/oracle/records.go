package oracle

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/migrated/migrated/image"
	"github.com/migrated/migrated/layout"
	"github.com/migrated/migrated/vmm/hostabi"
)

// Records knows what may be in an image's frame records: values that mean the same on all
// machines. An address does if it is one of portable memory or of what is pinned.
type Records struct {
	sites  []site
	pinned map[string]uint64 // by CPU level: first address behind its pinned constants and text
}

// A site is a line of the site table.
type site struct {
	function string
	size     int // bytes of its records
	words    []word
}

// A word is 8 bytes of a record that an address can be in.
type word struct {
	offset  int
	pointer bool // else an integer
}

// NewRecords reads an image's site table and layout.
func NewRecords(m *image.Image) (*Records, error) {
	table, err := layout.DecodeTable(m.Layout())
	if err != nil {
		return nil, err
	}
	r := &Records{pinned: make(map[string]uint64)}
	for i, b := range table.Builds {
		for _, row := range table.Symbols {
			if row.Addr < hostabi.PrivateBase {
				r.pinned[b.Level] = max(r.pinned[b.Level], row.Addr+row.Sizes[i])
			}
		}
	}
	for line := range bytes.Lines(m.Sites()) {
		s, err := parseSite(string(line), len(r.sites))
		if err != nil {
			return nil, fmt.Errorf("site table, line %q: %w", line, err)
		}
		r.sites = append(r.sites, s)
	}
	return r, nil
}

// parseSite reads "number function size type@offset,...".
func parseSite(line string, number int) (site, error) {
	fields := strings.Fields(line)
	if len(fields) < 3 || fields[0] != strconv.Itoa(number) {
		return site{}, fmt.Errorf("want number %d, a function and a size", number)
	}
	s := site{function: fields[1]}
	var err error
	if s.size, err = strconv.Atoi(fields[2]); err != nil {
		return site{}, err
	}
	if len(fields) == 3 {
		return s, nil
	}
	for value := range strings.SplitSeq(fields[3], ",") {
		kind, at, _ := strings.Cut(value, "@")
		offset, err := strconv.Atoi(at)
		if err != nil {
			return site{}, err
		}
		n := 1
		if count, element, vector := strings.Cut(kind, "x"); vector {
			kind = element
			if n, err = strconv.Atoi(count); err != nil {
				return site{}, err
			}
		}
		if kind != "ptr" && kind != "i64" {
			continue
		}
		for i := range n {
			s.words = append(s.words, word{offset: offset + 8*i, pointer: kind == "ptr"})
		}
	}
	return s, nil
}

// Check says whether a record that a build has written holds an address of what does not
// travel.
func (r *Records) Check(b *image.Build, number uint32, data []byte) error {
	if int(number) >= len(r.sites) {
		return fmt.Errorf("frame record of site %d, but there are %d", number, len(r.sites))
	}
	s := &r.sites[number]
	if len(data) != s.size {
		return fmt.Errorf("frame record of %s, site %d, has %d bytes, want %d", s.function, number, len(data), s.size)
	}
	for _, w := range s.words {
		v := binary.LittleEndian.Uint64(data[w.offset:])
		if what := r.private(b, v, w.pointer); what != "" {
			return fmt.Errorf("frame record of %s, site %d, holds %#x at offset %d: an address of %s, which does not travel",
				s.function, number, v, w.offset, what)
		}
	}
	return nil
}

// A span is a range of machine-private addresses.
type span struct {
	start, end uint64
	name       string
}

// fixed are the spans that all builds have in common.
var fixed = []span{
	{hostabi.CtlBase, hostabi.TextBase, "the control page or the rings"},
	{hostabi.PrivateBase, hostabi.PortableBase, "the data of native objects"},
	{hostabi.CPUStackBase, hostabi.StackBase, "a CPU's machine stack"},
	{hostabi.StackBase, hostabi.StackBase + hostabi.MaxThreads*hostabi.StackStride, "a machine stack"},
}

// usedStack is about what a thread has in use of its machine stack, bytes.
const usedStack = 64 << 10

// private names the machine-private memory that an address lies in. An integer may have any
// value, so it is taken for an address only where chance hardly leads: in the used part of a
// thread's machine stack.
func (r *Records) private(b *image.Build, v uint64, pointer bool) string {
	if !pointer {
		at := v - hostabi.StackBase
		if at < hostabi.MaxThreads*hostabi.StackStride && at%hostabi.StackStride >= hostabi.StackStride-usedStack {
			return "a machine stack"
		}
		return ""
	}
	own := span{r.pinned[b.Info.Level], hostabi.PrivateBase, "one build's own text or constants"}
	for _, s := range append(fixed, own) {
		if v >= s.start && v < s.end {
			return s.name
		}
	}
	return ""
}
