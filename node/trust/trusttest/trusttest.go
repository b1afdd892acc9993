// Package trusttest has identities for tests.
package trusttest

import (
	"testing"

	"github.com/migrated/migrated/node/trust"
)

// Open opens a directory, a new one if dir is empty. The test closes it at its end.
func Open(t testing.TB, dir string) *trust.Store {
	t.Helper()
	if dir == "" {
		dir = t.TempDir()
	}
	s, err := trust.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// A Party is a node or an operator.
type Party struct {
	Name  string
	Store *trust.Store
}

// Enrol makes two parties know each other, with the rights of nodes, as joining does.
func Enrol(t testing.TB, a, b Party) {
	t.Helper()
	Know(t, a.Store, b, trust.Node)
	Know(t, b.Store, a, trust.Node)
}

// Know makes one side know another.
func Know(t testing.TB, s *trust.Store, other Party, rights trust.Rights) {
	t.Helper()
	if err := s.Enrol(trust.Peer{Name: other.Name, Key: other.Store.Key(), Rights: rights}); err != nil {
		t.Fatal(err)
	}
}
