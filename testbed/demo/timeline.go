package main

import (
	"strings"
	"time"

	"github.com/migrated/migrated/node/units"
	"github.com/migrated/migrated/testbed/cluster"
)

// barWidth is how wide the whole of a move is drawn, columns.
const barWidth = 44

// timeline draws one move: when each phase was, and what was carried.
func (d *demo) timeline(number int, m *cluster.Move) {
	d.line("\nMove %d, %s (%s) to %s (%s)", number, m.From, m.FromISA, m.To, m.ToISA)
	var at time.Duration
	for _, phase := range []struct {
		name string
		took time.Duration
		what string
	}{
		{"prepare", m.Prepare, "the target reserves memory and gets the image"},
		{"quiesce", m.Quiesce, "the program leaves its stack"},
		{"transfer", m.Transfer, "its memory travels"},
		{"verify", m.Verify, "both compare a digest of it"},
		{"start", m.Start, "it goes on at the target"},
	} {
		d.note("  %-9s%9s  %s  %s", phase.name, short(phase.took), bar(at, phase.took, m.Total, "█"), phase.what)
		at += phase.took
	}
	d.note("  %-9s%9s  %s  the program did not run", "downtime", short(m.Downtime),
		bar(m.Prepare+m.Quiesce, m.Downtime, m.Total, "░"))
	d.note("  %-9s%9s", "total", short(m.Total))
	d.note("  pages    %d: %d zero, which do not travel, and %d sent", m.Pages, m.ZeroPages, m.SentPages)
	d.note("  bytes    %s before compression, %s after (%s)", size(m.RawBytes), size(m.WireBytes), m.Compression)
	d.note("  stack    frames: %d, as %s of records", m.Frames, size(m.RecordBytes))
	if m.ImageBytes > 0 {
		d.note("  image    %s of it were new to %s", size(m.ImageBytes), m.To)
	}
}

// bar draws a span of a whole; one that lasted at all can be seen.
func bar(from, length, whole time.Duration, ink string) string {
	if whole <= 0 {
		return strings.Repeat(" ", barWidth)
	}
	column := func(t time.Duration) int {
		return int(max(0, min(barWidth, (t*barWidth+whole/2)/whole)))
	}
	begin, end := column(from), column(from+length)
	if length > 0 && begin == end {
		if begin = min(begin, barWidth-1); end <= begin {
			end = begin + 1
		}
	}
	return strings.Repeat(" ", begin) + strings.Repeat(ink, end-begin) + strings.Repeat(" ", barWidth-end)
}

// short is a duration with three digits or so.
func short(d time.Duration) string {
	switch {
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(100 * time.Nanosecond).String()
}

func size(bytes uint64) string { return units.Bytes(bytes).Short() }
