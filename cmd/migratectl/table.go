package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/migrated/migrated/node/units"
)

func newTable(w io.Writer) *tabwriter.Writer {
	return tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
}

// printVMs draws ps.
func printVMs(w io.Writer, vms []vmRecord, now time.Time) error {
	t := newTable(w)
	fmt.Fprintln(t, "NAME\tID\tSTATE\tNODE\tISA\tMEMORY\tMOVES\tAGE\tIMAGE")
	for _, v := range vms {
		fmt.Fprintf(t, "%s\t%.12s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n", v.Name, v.ID, v.stateText(), v.Node, v.ISA,
			units.Bytes(v.Memory), v.Generation, age(now.Sub(v.Created)), v.ImageName)
	}
	return t.Flush()
}

// stateText is the state with what belongs to it.
func (v *vmRecord) stateText() string {
	switch {
	case v.Exit != nil:
		return fmt.Sprintf("%s (%d)", v.State, v.Exit.Code)
	case v.MovingTo != "":
		return fmt.Sprintf("%s to %s", v.State, v.MovingTo)
	}
	return v.State
}

// printVM draws inspect.
func printVM(w io.Writer, v *vmRecord) error {
	t := newTable(w)
	row := func(name, format string, args ...any) { fmt.Fprintf(t, name+"\t"+format+"\n", args...) }
	row("name", "%s", v.Name)
	row("id", "%s", v.ID)
	row("state", "%s", v.stateText())
	row("home", "%s", v.Home)
	row("node", "%s", v.Node)
	row("image", "%s (%s)", v.ImageName, v.Image)
	row("build", "%s %s", v.ISA, v.Level)
	row("memory", "%s", units.Bytes(v.Memory))
	row("arguments", "%s", quoted(v.Args))
	row("created", "%s", v.Created.Local().Format(time.RFC3339))
	if v.Ended != nil {
		row("ended", "%s", v.Ended.Local().Format(time.RFC3339))
	}
	for _, c := range v.Confinement {
		if c.Note == "" {
			row("confined", "%s: %s", c.Means, c.Answer)
		} else {
			row("confined", "%s: %s (%s)", c.Means, c.Answer, c.Note)
		}
	}
	if v.Note != "" {
		row("note", "%s", v.Note)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for i := range v.Moves {
		fmt.Fprintf(w, "\nmove %d\n", i+1)
		if err := printMove(w, &v.Moves[i]); err != nil {
			return err
		}
	}
	if v.Exit != nil && v.Exit.Crash != nil {
		return printCrash(w, v.Exit.Crash)
	}
	return nil
}

// printMove draws the timeline of a move.
func printMove(w io.Writer, m *moveRecord) error {
	t := newTable(w)
	row := func(name, format string, args ...any) { fmt.Fprintf(t, "  "+name+"\t"+format+"\n", args...) }
	row("from", "%s\t%s", m.From, m.FromISA)
	row("to", "%s\t%s", m.To, m.ToISA)
	if m.Why != "" {
		row("mode", "%s\t%s", m.Mode, m.Why)
	}
	row("prepare", "%s\tthe target reserves; %s of image sent", short(m.Prepare), units.Bytes(m.ImageBytes).Short())
	row("quiesce", "%s\t%d frames, %s of records", short(m.Quiesce), m.Frames, units.Bytes(m.RecordBytes).Short())
	row("transfer", "%s\t%s as %s (%s)", short(m.Transfer), units.Bytes(m.RawBytes).Short(), units.Bytes(m.WireBytes).Short(), m.codecText())
	row("", "\t%s", m.pagesText())
	if m.Copy > 0 {
		row("", "\t%s of it while the program ran", short(m.Copy))
	}
	row("verify", "%s\tthe target has all of it", short(m.Verify))
	row("start", "%s\tround trip %s", short(m.Start), short(m.RoundTrip))
	row("downtime", "%s\tno guest code ran", short(m.Downtime))
	row("total", "%s\t", short(m.Total))
	return t.Flush()
}

// codecText says how memory was compressed, and that this was chosen, if it was.
func (m *moveRecord) codecText() string {
	if m.Compression == "auto" {
		return "auto: " + m.Codecs.String()
	}
	return m.Codecs.String()
}

// pagesText says what became of the pages.
func (m *moveRecord) pagesText() string {
	s := fmt.Sprintf("%d pages, %d zero, %d sent", m.Pages, m.ZeroPages, m.SentPages)
	for _, part := range []struct {
		count uint64
		text  string
	}{
		{m.DeltaPages, "changes of %d"}, {m.SamePages, "%d like others"}, {m.BasePages, "%d were there"}, {m.LaterPages, "%d later"},
	} {
		if part.count > 0 {
			s += ", " + fmt.Sprintf(part.text, part.count)
		}
	}
	return s
}

func printCrash(w io.Writer, c *crashRecord) error {
	what := slices.DeleteFunc([]string{c.Reason, c.Message}, func(s string) bool { return s == "" })
	fmt.Fprintf(w, "\ncrash: %s\n", strings.Join(what, ": "))
	fmt.Fprintf(w, "  address %#x, pc %#x\n", c.Address, c.PC)
	for i, r := range c.Registers {
		fmt.Fprintf(w, "  %-4s %016x", r.Name, r.Value)
		if i%4 == 3 || i == len(c.Registers)-1 {
			fmt.Fprintln(w)
		}
	}
	t := newTable(w)
	for i, f := range c.Backtrace {
		where := ""
		if f.File != "" {
			where = fmt.Sprintf("%s:%d", f.File, f.Line)
		}
		fmt.Fprintf(t, "  #%d\t%#x\t%s\t%s\n", i, f.PC, f.Function, where)
	}
	return t.Flush()
}

// printNodes draws nodes.
func printNodes(w io.Writer, nodes []nodeRecord) error {
	t := newTable(w)
	fmt.Fprintln(t, "NAME\tSTATE\tISA\tLEVEL\tVMS\tFREE\tROUND TRIP\tADDRESS\tNOTE")
	for _, n := range nodes {
		level, free, rtt := "", "", ""
		if len(n.Levels) > 0 {
			level = n.Levels[len(n.Levels)-1]
		}
		if n.MemoryTotal > 0 {
			free = units.Bytes(n.MemoryFree).Short()
		}
		if n.RoundTrip > 0 {
			rtt = short(n.RoundTrip)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\n", n.Name, n.State, n.ISA, level, n.VMs, free, rtt, n.Address, n.Note)
	}
	return t.Flush()
}

// short rounds a duration to what people read.
func short(d time.Duration) string {
	switch {
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(100 * time.Nanosecond).String()
}

// age is a duration in its largest unit.
func age(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dd", d/(24*time.Hour))
}

// quoted shows arguments so that their borders can be seen.
func quoted(args []string) string {
	var q []string
	for _, a := range args {
		q = append(q, fmt.Sprintf("%q", a))
	}
	return strings.Join(q, " ")
}
