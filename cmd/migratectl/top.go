package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/migrated/migrated/node/events"
	"github.com/migrated/migrated/node/units"
	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/vmm/hostabi"
)

// A topRecord is a node and its VMs at one moment.
type topRecord struct {
	Time time.Time       `json:"time"`
	Node nodeRecord      `json:"node"`
	VMs  []vmUsageRecord `json:"vms"`
}

// A vmUsageRecord is what a VM takes. A VM that is elsewhere takes nothing here.
type vmUsageRecord struct {
	ID       string        `json:"id"`
	Name     string        `json:"name"`
	State    string        `json:"state"`
	Node     string        `json:"node"`
	ISA      string        `json:"isa"`
	CPU      time.Duration `json:"cpu_ns"`                // since it came here
	Load     *float64      `json:"cpu_percent,omitempty"` // of one processor, since the record before
	Memory   uint64        `json:"memory_bytes"`
	Resident uint64        `json:"resident_bytes"`
	MovingTo string        `json:"moving_to,omitempty"`
	Move     string        `json:"move,omitempty"`
	Phase    string        `json:"phase,omitempty"`
	Pages    uint64        `json:"pages,omitempty"`      // of the move that is under way
	Done     uint64        `json:"done_pages,omitempty"` // of them, zero or sent
	Wire     uint64        `json:"wire_bytes,omitempty"`
	How      string        `json:"how,omitempty"`                    // the move is made
	Dirty    float64       `json:"dirty_pages_per_second,omitempty"` // that the program writes meanwhile
	Throttle float64       `json:"throttle,omitempty"`               // share of the time in which it is held back
}

func newTopRecord(t *pb.TopResponse) topRecord {
	r := topRecord{Time: t.Time.AsTime(), Node: newNodeRecord(t.Node), VMs: []vmUsageRecord{}}
	for _, u := range t.Vms {
		vm := vmUsageRecord{
			ID: u.Vm.GetId(), Name: u.Vm.GetName(), State: vmStates[u.Vm.GetState()], Node: u.Vm.GetNode(), ISA: u.Vm.GetIsa(),
			CPU: durationOf(u.Cpu), Memory: u.Vm.GetMemory(), Resident: u.Resident, MovingTo: u.Vm.GetMovingTo(),
			Move: u.MoveId, Phase: events.Phase(u.Move.GetPhase()),
		}
		if m := u.Move.GetMemory(); m != nil {
			vm.Pages, vm.Done, vm.Wire = m.Pages, min(m.Sent+m.Zero, m.Pages), m.WireBytes
		}
		if rate := u.Move.GetRate(); rate != nil {
			vm.How, vm.Dirty, vm.Throttle = events.MoveKind(rate.Kind), rate.DirtyRate, rate.Throttle
		}
		r.VMs = append(r.VMs, vm)
	}
	return r
}

// since works out each VM's load from what it had taken before.
func (r *topRecord) since(before *topRecord) {
	took := make(map[string]time.Duration)
	for _, vm := range before.VMs {
		took[vm.ID] = vm.CPU
	}
	elapsed := r.Time.Sub(before.Time)
	for i := range r.VMs {
		vm := &r.VMs[i]
		// One that left and came back has begun anew.
		if had, known := took[vm.ID]; known && vm.CPU >= had && vm.CPU > 0 && elapsed > 0 {
			load := 100 * float64(vm.CPU-had) / float64(elapsed)
			vm.Load = &load
		}
	}
}

func (a *app) topCommand() *cobra.Command {
	var times int
	interval := time.Second
	cmd := &cobra.Command{
		Use:   "top",
		Short: "Watch what VMs take, and how moves go on",
		Long: `Top shows, again and again, each VM that is here or at home here: the processor time that it
takes (100% is one processor, all of the time), the memory that it was given and what of that it
has touched, and how far a move from here has come.

On a terminal the table is drawn in place until interrupt (Ctrl-C). Elsewhere each table follows
the one before. -o json prints one object per line.`,
		Example: `  migratectl top
  migratectl top -n 1
  migratectl top --interval 5s -o json | jq .vms[].cpu_percent`,
		Args:              exactly(),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if interval < minTopInterval {
				return usagef("--interval %v: want at least %v", interval, minTopInterval)
			}
			if times < 0 {
				return usagef("-n %d: must not be negative", times)
			}
			return a.with(cmd, func(ctx context.Context, client pb.NodeClient) error {
				err := a.top(ctx, client, times, interval)
				if ctx.Err() != nil && cmd.Context().Err() == nil {
					return nil // an interrupt is how it ends
				}
				return err
			})
		},
	}
	cmd.Flags().IntVarP(&times, "times", "n", 0, "so many tables, then end; 0 for no end")
	cmd.Flags().DurationVarP(&interval, "interval", "i", interval, "time between two tables")
	return cmd
}

const minTopInterval = 100 * time.Millisecond

// top shows tables. Load needs two looks, so the first table comes after a short while.
func (a *app) top(ctx context.Context, client pb.NodeClient, times int, interval time.Duration) error {
	before, err := topNow(ctx, client)
	if err != nil {
		return err
	}
	screen := a.newScreen()
	defer screen.close()
	pause := min(interval, 300*time.Millisecond)
	for i := 0; times == 0 || i < times; i++ {
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
		now, err := topNow(ctx, client)
		if err != nil {
			return err
		}
		now.since(before)
		if err := screen.show(now); err != nil {
			return err
		}
		before, pause = now, interval
	}
	return nil
}

func topNow(ctx context.Context, client pb.NodeClient) (*topRecord, error) {
	answer, err := client.Top(ctx, &pb.TopRequest{})
	if err != nil {
		return nil, err
	}
	r := newTopRecord(answer)
	return &r, nil
}

// A screen shows one table after the other.
type screen struct {
	app      *app
	terminal bool
	shown    int
}

// What terminals understand (ECMA-48, and xterm's private modes).
const (
	enterScreen = "\x1b[?1049h\x1b[?25l" // another buffer, without a cursor
	leaveScreen = "\x1b[?25h\x1b[?1049l"
	home        = "\x1b[H"
	clearLine   = "\x1b[K"
	clearBelow  = "\x1b[J"
)

func (a *app) newScreen() *screen {
	s := &screen{app: a, terminal: a.output != "json" && isTerminal(a.stdout)}
	if s.terminal {
		io.WriteString(a.stdout, enterScreen)
	}
	return s
}

func (s *screen) close() {
	if s.terminal {
		io.WriteString(s.app.stdout, leaveScreen)
	}
}

func (s *screen) show(r *topRecord) error {
	out := s.app.stdout
	if s.app.output == "json" {
		return json.NewEncoder(out).Encode(r)
	}
	var b bytes.Buffer
	if err := printTop(&b, r); err != nil {
		return err
	}
	s.shown++
	if !s.terminal {
		if s.shown > 1 {
			fmt.Fprintln(out)
		}
		_, err := out.Write(b.Bytes())
		return err
	}
	rows, columns := 24, 80
	if size, err := unix.IoctlGetWinsize(int(out.Fd()), unix.TIOCGWINSZ); err == nil && size.Row > 0 && size.Col > 0 {
		rows, columns = int(size.Row), int(size.Col)
	}
	_, err := io.WriteString(out, fit(b.String(), rows, columns))
	return err
}

// fit draws text over what is on the screen, as much of it as there is room for.
func fit(text string, rows, columns int) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) > rows {
		lines = append(lines[:rows-1], fmt.Sprintf("... %d more", len(lines)-rows+1))
	}
	var b strings.Builder
	b.WriteString(home)
	for i, line := range lines {
		if runes := []rune(line); len(runes) > columns {
			line = string(runes[:columns])
		}
		b.WriteString(line + clearLine)
		if i < len(lines)-1 {
			b.WriteString("\r\n")
		}
	}
	b.WriteString(clearBelow)
	return b.String()
}

// printTop draws one table.
func printTop(w io.Writer, r *topRecord) error {
	fmt.Fprintf(w, "%s  %s (%s)  VMs here: %d  free: %s of %s\n\n", r.Time.Local().Format(time.DateTime), r.Node.Name, r.Node.ISA,
		r.Node.VMs, units.Bytes(r.Node.MemoryFree).Short(), units.Bytes(r.Node.MemoryTotal).Short())
	t := newTable(w)
	fmt.Fprintln(t, "NAME\tSTATE\tNODE\tISA\tCPU\tTIME\tMEMORY\tTOUCHED\tMOVE")
	for i := range r.VMs {
		vm := &r.VMs[i]
		load, took, touched := "", "", ""
		if vm.Load != nil {
			load = fmt.Sprintf("%.0f%%", *vm.Load)
		}
		if vm.Resident > 0 {
			took, touched = short(vm.CPU), units.Bytes(vm.Resident).Short()
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", vm.Name, vm.State, vm.Node, vm.ISA, load, took,
			units.Bytes(vm.Memory), touched, vm.moveText())
	}
	return t.Flush()
}

// moveText says how far a move has come.
func (vm *vmUsageRecord) moveText() string {
	if vm.MovingTo == "" && vm.Phase == "" {
		return ""
	}
	text := "to " + vm.MovingTo
	if vm.Phase != "" {
		text += ", " + vm.Phase
	}
	if vm.Pages > 0 {
		text += fmt.Sprintf(", %d%%, %s sent", 100*vm.Done/vm.Pages, units.Bytes(vm.Wire).Short())
	}
	if vm.Dirty > 0 {
		text += fmt.Sprintf(", writes %s/s", units.Bytes(vm.Dirty*hostabi.PageSize).Short())
	}
	if vm.Throttle > 0 {
		text += fmt.Sprintf(", held back %.0f%%", 100*vm.Throttle)
	}
	return text
}
