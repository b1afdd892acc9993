package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/migrated/migrated/node/trust"
)

// identityDir is where this user's identity is, and what nodes it may operate.
func identityDir() (string, error) {
	if dir := os.Getenv("MIGRATED_IDENTITY"); dir != "" {
		return dir, nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("find this user's identity: %w; MIGRATED_IDENTITY may name its directory", err)
	}
	return filepath.Join(dir, "migrated"), nil
}

// remote returns how to connect to the node that --node names.
func (a *app) remote() (func(context.Context, string) (net.Conn, error), error) {
	dir, err := identityDir()
	if err != nil {
		return nil, err
	}
	store, err := trust.Read(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("--node %s: this user has no identity in %s: `migratectl login` makes one", a.node, dir)
	}
	if err != nil {
		return nil, err
	}
	peer, addresses, err := findNode(store, a.node)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, _ string) (net.Conn, error) {
		var errs []error
		for _, address := range addresses {
			c, err := store.Dial(ctx, address, trust.ProtoOperator, peer.Key)
			if err == nil {
				return c, nil
			}
			errs = append(errs, fmt.Errorf("%s at %s: %w", peer.Name, address, err))
		}
		return nil, errors.Join(errs...)
	}, nil
}

// findNode finds a node by name, by an address that it has, or by its name and another
// address.
func findNode(store *trust.Store, ref string) (trust.Peer, []string, error) {
	name, address, both := strings.Cut(ref, "=")
	if p, err := store.Peer(name); err == nil {
		if both {
			return p, []string{address}, nil
		}
		return p, p.Addresses, nil
	}
	for _, p := range store.Peers() {
		if p.Revoked == nil && slices.Contains(p.Addresses, ref) {
			return p, []string{ref}, nil
		}
	}
	var known []string
	for _, p := range store.Peers() {
		known = append(known, p.Name)
	}
	if len(known) == 0 {
		known = []string{"none"}
	}
	return trust.Peer{}, nil, fmt.Errorf("--node %s: this user is enrolled with no such node; with %s: `migratectl login` adds one",
		ref, strings.Join(known, ", "))
}

func (a *app) loginCommand() *cobra.Command {
	var token, file string
	var addresses []string
	cmd := &cobra.Command{
		Use:   "login --token-file FILE",
		Short: "Enrol this user as an operator of a node elsewhere",
		Long: `Login enrols this user with the node that made a token:

    migratectl trust token --allow operate NAME

From then on --node names that node. The identity is in ~/.config/migrated, or where
MIGRATED_IDENTITY says. The token works once, and is a secret until then.`,
		Example: `  ssh server-1 migratectl trust token --allow operate laptop | migratectl login --token-file -
  migratectl --node server-1 ps`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &usageError{trust.ErrInArguments}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case token != "" && token != "-":
				return &usageError{trust.ErrInArguments}
			case token == "-" && file == "":
				file = "-"
			case file == "":
				return usagef("login: where is the token? Give --token-file FILE, or --token-file - for standard input")
			}
			t, err := trust.ReadToken(file, a.stdin)
			if err != nil {
				return err
			}
			dir, err := identityDir()
			if err != nil {
				return err
			}
			store, err := trust.Open(dir)
			if err != nil {
				return err
			}
			defer store.Close()
			// What this user operates may do nothing here: there is no daemon.
			p, err := store.Join(cmd.Context(), t, "", trust.Operate, addresses)
			if err != nil {
				return err
			}
			fmt.Fprintf(a.stdout, "%s knows this user as %s: migratectl --node %s\n", p.Name, t.Name, p.Name)
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&file, "token-file", "", "file with the token; - for standard input")
	flags.StringVar(&token, "token", "", "- for standard input: a token itself must not be an argument")
	flags.StringSliceVar(&addresses, "address", nil, "where the node is reached, HOST:PORT, if not where the token says; may be repeated")
	return cmd
}
