package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/migrated/migrated/node"
	"github.com/migrated/migrated/node/trust"
	pb "github.com/migrated/migrated/proto/migrated/v1"
)

// joinCommand enrols this node with another, whether its own daemon runs or not.
func joinCommand(settle func(*cobra.Command) (*config, error)) *cobra.Command {
	var token, file string
	var rights, addresses []string
	cmd := &cobra.Command{
		Use:   "join --token-file FILE",
		Short: "Enrol this node with another, by a token of that one",
		Long: `join makes this node and the one that made the token trust each other. The token comes from

    migratectl trust token NAME

there, with this node's name. It works once, and is a secret until then. Join speaks only to
the node that made it, and sends nothing before that has shown who it is. From then on this
node dials that one; VMs can be moved both ways.`,
		Example: `  ssh server-1 migratectl trust token arm-board-1 | migrated join --name arm-board-1 --token-file -
  migrated join --config /etc/migrated.toml --token-file /root/token
  migrated join --token-file - --allow receive       # it may not send VMs here`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return trust.ErrInArguments
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&file, "token-file", "", "file with the token; - for standard input")
	flags.StringVar(&token, "token", "", "- for standard input: a token itself must not be an argument")
	flags.StringSliceVar(&rights, "allow", trust.Node.Names(), "what the other node may do here: send, receive, operate")
	flags.StringSliceVar(&addresses, "address", nil, "where the other node is reached, HOST:PORT, if not where the token says; may be repeated")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		switch {
		case token != "" && token != "-":
			return trust.ErrInArguments
		case token == "-" && file == "":
			file = "-"
		case file == "":
			return errors.New("join: where is the token? Give --token-file FILE, or --token-file - for standard input")
		}
		cfg, err := settle(cmd)
		if err != nil {
			return err
		}
		if err := node.CheckName(cfg.Name); err != nil {
			return err
		}
		t, err := trust.ReadToken(file, os.Stdin)
		if err != nil {
			return err
		}
		allow, err := trust.ParseRights(rights)
		if err != nil {
			return err
		}
		if err := join(cmd.Context(), cfg, t, allow, addresses); err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s and %s are enrolled with each other; here %s may %s\n", t.Name, t.Issuer, t.Issuer, allow)
		return nil
	}
	return cmd
}

// join has the daemon enrol the node if it runs, and does so itself if it does not.
func join(ctx context.Context, cfg *config, t *trust.Token, allow trust.Rights, addresses []string) error {
	store, err := trust.Open(cfg.trustDir())
	if err == nil {
		defer store.Close()
		_, err = store.Join(ctx, t, cfg.Name, allow, addresses)
		return err
	}
	if !errors.Is(err, trust.ErrInUse) {
		return err
	}
	conn, err := grpc.NewClient("unix:"+cfg.Socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = pb.NewTrustClient(conn).JoinWithToken(ctx, &pb.JoinWithTokenRequest{
		Token: t.Text(), Rights: allow.Names(), Addresses: addresses,
	})
	switch st := status.Convert(err); st.Code() {
	case codes.OK:
		return nil
	case codes.Unavailable:
		return fmt.Errorf("a daemon has the state directory %s open and does not answer at %s: give its --socket", cfg.State, cfg.Socket)
	default:
		return errors.New(st.Message())
	}
}
