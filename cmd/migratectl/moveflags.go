package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/migrated/migrated/node/units"
	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/statexfer"
	"github.com/migrated/migrated/statexfer/live"
)

// moveFlags are what an operator may want of a move.
type moveFlags struct {
	mode, compress        string
	maxDowntime, deadline time.Duration
	bandwidth             units.Bytes
	safe                  bool
	possible              []string // modes
}

// add adds the flags of a move to another node.
func (f *moveFlags) add(cmd *cobra.Command) {
	f.addShared(cmd, live.Auto, live.Stop, live.PreCopy, live.PostCopy, live.Hybrid)
	cmd.Flags().BoolVar(&f.safe, "safe", false, "never let the VM need both nodes: no post-copy, whatever the program writes")
	cmd.Flags().DurationVar(&f.deadline, "deadline", 0, "call the move off if the node has not got by then what it needs to start it (default none)")
}

// addToFile adds those of a checkpoint: a file cannot be asked for a page.
func (f *moveFlags) addToFile(cmd *cobra.Command) {
	f.addShared(cmd, live.Auto, live.Stop, live.PreCopy)
	cmd.Flags().DurationVar(&f.deadline, "deadline", 0, "give up if the file has not got all of it by then (default none)")
}

func (f *moveFlags) addShared(cmd *cobra.Command, possible ...live.Mode) {
	for _, m := range possible {
		f.possible = append(f.possible, m.String())
	}
	flags := cmd.Flags()
	flags.StringVar(&f.mode, "mode", "auto", alternatives(f.possible))
	flags.DurationVar(&f.maxDowntime, "max-downtime", 30*time.Millisecond, "how long the program may stand still, where memory is sent while it runs")
	flags.Var(&f.bandwidth, "bandwidth", "bytes a second to send at most, such as 50M (default what the link takes)")
	flags.StringVar(&f.compress, "compress", "auto", "auto, none, s2 or zstd")
	for flag, values := range map[string][]string{
		"mode":     f.possible,
		"compress": {"auto", "none", "s2", "zstd"},
	} {
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	}
}

// modes and codecs are what flags mean.
var (
	modes = map[live.Mode]pb.MoveKind{
		live.Auto:     pb.MoveKind_MOVE_KIND_UNSPECIFIED,
		live.Stop:     pb.MoveKind_MOVE_KIND_STOP,
		live.PreCopy:  pb.MoveKind_MOVE_KIND_PRECOPY,
		live.PostCopy: pb.MoveKind_MOVE_KIND_POSTCOPY,
		live.Hybrid:   pb.MoveKind_MOVE_KIND_HYBRID,
	}
	codecs = map[statexfer.Codec]pb.Compression{
		statexfer.Auto: pb.Compression_COMPRESSION_UNSPECIFIED,
		statexfer.None: pb.Compression_COMPRESSION_NONE,
		statexfer.S2:   pb.Compression_COMPRESSION_S2,
		statexfer.Zstd: pb.Compression_COMPRESSION_ZSTD,
	}
)

// alternatives is a list as people write it.
func alternatives(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

func (f *moveFlags) options() (*pb.MoveOptions, error) {
	mode, err := live.ParseMode(f.mode)
	kind, ok := modes[mode]
	if err != nil || !ok || !slices.Contains(f.possible, f.mode) {
		return nil, usagef("--mode: unknown mode %q: use %s", f.mode, alternatives(f.possible))
	}
	if f.safe && mode.NeedsBoth() {
		return nil, usagef("--safe: not with --mode %v, after which the VM needs both nodes for a while", mode)
	}
	codec, err := statexfer.ParseCodec(f.compress)
	if err != nil {
		return nil, &usageError{fmt.Errorf("--compress: %w", err)}
	}
	if f.maxDowntime <= 0 || f.deadline < 0 {
		return nil, usagef("--max-downtime and --deadline: want a time")
	}
	return &pb.MoveOptions{
		Kind:        kind,
		Compress:    codecs[codec],
		MaxDowntime: durationpb.New(f.maxDowntime),
		Bandwidth:   uint64(f.bandwidth),
		Deadline:    durationpb.New(f.deadline),
		Safe:        f.safe,
	}, nil
}
