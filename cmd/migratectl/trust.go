package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/migrated/migrated/node/trust"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

func (a *app) trustCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "trust",
		Short: "Decide which nodes and operators elsewhere this node trusts",
		Long: `Trust decides who may connect to this node, and what for:

  send     move VMs here, and stop and recall those
  receive  be moved VMs to from here, with their images and their output
  operate  what migratectl can do here, but trust

Others are enrolled with a token that works once. What is revoked loses its connections at
once.`,
		Example: `  migratectl trust token arm-board-1                # then there: migrated join
  migratectl trust token --allow operate laptop     # then there: migratectl login
  migratectl trust list
  migratectl trust revoke arm-board-1`,
	}
	cmd.AddCommand(a.trustTokenCommand(), a.trustListCommand(), a.trustAllowCommand(), a.trustRevokeCommand())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usagef("trust: unknown command %q", args[0])
		}
		return cmd.Help()
	}
	return cmd
}

func (a *app) trustTokenCommand() *cobra.Command {
	var allow, addresses []string
	var ttl time.Duration
	var file string
	cmd := &cobra.Command{
		Use:   "token NAME",
		Short: "Make a token that enrols one node or operator",
		Long: `Token prints a token for the node or operator that is to be called NAME here. Whoever uses it
first is NAME, so it is a secret until then: pass it on by a pipe, or with --file by a file
that nobody else can read.`,
		Example: `  migratectl trust token arm-board-1 | ssh arm-board-1 migrated join --token-file -
  migratectl trust token --allow operate --file token laptop
  migratectl trust token --address server-1.example.org:7370 arm-board-1`,
		Args:              exactly("NAME"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withTrust(cmd, func(ctx context.Context, client pb.TrustClient) error {
				answer, err := client.IssueToken(ctx, &pb.IssueTokenRequest{
					Name: args[0], Rights: allow, Ttl: durationpb.New(ttl), Addresses: addresses,
				})
				if err != nil {
					return err
				}
				if file != "" {
					return writeSecret(file, answer.Token)
				}
				r := tokenRecord{Name: args[0], Rights: allow, Expires: answer.Expires.AsTime(), Addresses: answer.Addresses, Token: answer.Token}
				return a.print(r, func(w io.Writer) error {
					_, err := fmt.Fprintln(w, answer.Token)
					return err
				})
			})
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&allow, "allow", trust.Node.Names(), "what NAME may do here: send, receive, operate")
	flags.DurationVar(&ttl, "ttl", trust.DefaultTTL, "how long the token can be used, at most 168h")
	flags.StringSliceVar(&addresses, "address", nil, "where NAME will reach this node, HOST:PORT, if not where it listens; may be repeated")
	flags.StringVar(&file, "file", "", "write the token to a new file, mode 0600, and do not print it")
	return cmd
}

// writeSecret makes a file that is this user's alone.
func writeSecret(path, secret string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write the token: %w", err)
	}
	if _, err := fmt.Fprintln(f, secret); err != nil {
		f.Close()
		return fmt.Errorf("write the token: %w", err)
	}
	return f.Close()
}

func (a *app) trustListCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "list",
		Short:             "List those who are enrolled, and tokens that wait",
		Example:           `  migratectl trust list`,
		Args:              exactly(),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withTrust(cmd, func(ctx context.Context, client pb.TrustClient) error {
				answer, err := client.ListTrust(ctx, &pb.ListTrustRequest{})
				if err != nil {
					return err
				}
				r := newTrustRecord(answer)
				return a.print(r, func(w io.Writer) error { return printTrust(w, r) })
			})
		},
	}
}

func (a *app) trustAllowCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "allow NAME RIGHTS",
		Short:             "Give a peer other rights, at once",
		Example:           `  migratectl trust allow arm-board-1 receive`,
		Args:              exactly("NAME", "RIGHTS"),
		ValidArgsFunction: a.completeTrusted,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withTrust(cmd, func(ctx context.Context, client pb.TrustClient) error {
				p, err := client.AllowPeer(ctx, &pb.AllowPeerRequest{Name: args[0], Rights: strings.Split(args[1], ",")})
				if err != nil {
					return err
				}
				r := newTrustedRecord(p)
				return a.print(r, func(w io.Writer) error {
					_, err := fmt.Fprintf(w, "%s may %s\n", r.Name, strings.Join(r.Rights, ", "))
					return err
				})
			})
		},
	}
}

func (a *app) trustRevokeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "revoke NAME",
		Short: "End a peer's connections, and let it make no more",
		Long: `Revoke ends the connections of a node or operator, or voids its token. VMs of that node that
run here go on, and so do VMs of this node there: recall those first.`,
		Example:           `  migratectl trust revoke arm-board-1`,
		Args:              exactly("NAME"),
		ValidArgsFunction: a.completeTrusted,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withTrust(cmd, func(ctx context.Context, client pb.TrustClient) error {
				_, err := client.RevokePeer(ctx, &pb.RevokePeerRequest{Name: args[0]})
				return err
			})
		},
	}
}

// completeTrusted offers the names of those who are enrolled.
func (a *app) completeTrusted(cmd *cobra.Command, args []string, _ string) (names []string, _ cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completionTimeout)
	defer cancel()
	cmd.SetContext(ctx)
	err := a.withTrust(cmd, func(ctx context.Context, client pb.TrustClient) error {
		answer, err := client.ListTrust(ctx, &pb.ListTrustRequest{})
		for _, p := range answer.GetPeers() {
			names = append(names, p.Name)
		}
		return err
	})
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// A tokenRecord is a token that was made.
type tokenRecord struct {
	Name      string    `json:"name"`
	Rights    []string  `json:"rights"`
	Expires   time.Time `json:"expires"`
	Addresses []string  `json:"addresses"`
	Token     string    `json:"token"`
}

// A trustRecord is whom a node trusts.
type trustRecord struct {
	Identity string          `json:"identity"`
	Peers    []trustedRecord `json:"peers"`
	Tokens   []pendingRecord `json:"tokens"`
}

// A trustedRecord is one node or operator that was enrolled.
type trustedRecord struct {
	Name      string     `json:"name"`
	Identity  string     `json:"identity"`
	State     string     `json:"state"`
	Rights    []string   `json:"rights"`
	Addresses []string   `json:"addresses"`
	Enrolled  time.Time  `json:"enrolled"`
	Revoked   *time.Time `json:"revoked,omitempty"`
}

// A pendingRecord is a token that can still be used.
type pendingRecord struct {
	Name    string    `json:"name"`
	Rights  []string  `json:"rights"`
	Expires time.Time `json:"expires"`
}

func newTrustRecord(l *pb.ListTrustResponse) *trustRecord {
	r := &trustRecord{Identity: l.Key, Peers: []trustedRecord{}, Tokens: []pendingRecord{}}
	for _, p := range l.Peers {
		r.Peers = append(r.Peers, newTrustedRecord(p))
	}
	for _, t := range l.Tokens {
		r.Tokens = append(r.Tokens, pendingRecord{Name: t.Name, Rights: t.Rights, Expires: t.Expires.AsTime()})
	}
	return r
}

func newTrustedRecord(p *pb.TrustedPeer) trustedRecord {
	r := trustedRecord{
		Name: p.Name, Identity: p.Key, State: "enrolled", Rights: p.Rights, Addresses: append([]string{}, p.Addresses...),
		Enrolled: p.Enrolled.AsTime(), Revoked: timeOf(p.Revoked),
	}
	switch {
	case p.Revoked != nil:
		r.State = "revoked"
	case p.Connected:
		r.State = "connected"
	}
	return r
}

// printTrust draws trust list.
func printTrust(w io.Writer, r *trustRecord) error {
	fmt.Fprintf(w, "this node is %s\n", r.Identity)
	t := newTable(w)
	fmt.Fprintln(t, "NAME\tSTATE\tMAY\tSINCE\tDIALLED AT\tIDENTITY")
	for _, p := range r.Peers {
		since := p.Enrolled
		if p.Revoked != nil {
			since = *p.Revoked
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", p.Name, p.State, strings.Join(p.Rights, ","),
			since.Local().Format(time.DateTime), strings.Join(p.Addresses, " "), p.Identity)
	}
	for _, p := range r.Tokens {
		fmt.Fprintf(t, "%s\ttoken until\t%s\t%s\t\t\n", p.Name, strings.Join(p.Rights, ","), p.Expires.Local().Format(time.DateTime))
	}
	return t.Flush()
}
