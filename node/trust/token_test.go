package trust

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func testStore(t testing.TB) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "trust"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func testToken(t testing.TB, s *Store) *Token {
	t.Helper()
	token, err := s.Issue("server-1", "arm-board-1", Node, time.Hour, []string{"127.0.0.1:7370", "[::1]:7370"})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// TestTokenText: a token survives its text, and no text with one character changed, or cut
// off, is a token.
func TestTokenText(t *testing.T) {
	token := testToken(t, testStore(t))
	text := token.Text()
	got, err := ParseToken(text + "\n")
	if err != nil || !reflect.DeepEqual(got, token) {
		t.Fatalf("%#v became %#v, %v", token, got, err)
	}
	for i := range text {
		for _, bad := range []string{text[:i], text[:i] + "A" + text[i+1:], text[:i] + text[i+1:], text[:i] + "\x00" + text[i:]} {
			if bad == text {
				continue
			}
			if _, err := ParseToken(bad); err == nil {
				t.Errorf("%q is taken for a token", bad)
			} else if strings.Contains(err.Error(), text[len(tokenPrefix):len(tokenPrefix)+8]) {
				t.Errorf("the error repeats the token: %v", err)
			}
		}
	}
}

// TestTokenStaysSecret: its text is in no message, log or file.
func TestTokenStaysSecret(t *testing.T) {
	s := testStore(t)
	token := testToken(t, s)
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("made", "token", token, "value", *token)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("made", "token", token, "value", *token)
	fmt.Fprintf(&log, "%v %+v %#v %s", token, token, token, token)
	b, err := os.ReadFile(filepath.Join(s.dir, stateFile))
	if err != nil {
		t.Fatal(err)
	}
	secret := fmt.Sprintf("%x", token.secret)
	for name, said := range map[string]string{"log": log.String(), "file": string(b)} {
		for _, secret := range []string{secret, token.Text()[len(tokenPrefix)+4:][:16], fmt.Sprint(token.secret), string(token.secret[:])} {
			if strings.Contains(said, secret) {
				t.Errorf("%s has %q:\n%s", name, secret, said)
			}
		}
	}
}

// TestIssueRefuses: what a token is for must make sense.
func TestIssueRefuses(t *testing.T) {
	s := testStore(t)
	if err := s.Enrol(Peer{Name: "known", Key: testIdentity(t).public(), Rights: Node}); err != nil {
		t.Fatal(err)
	}
	addresses := []string{"127.0.0.1:1"}
	for _, test := range []struct {
		name      string
		ttl       time.Duration
		addresses []string
		want      string
	}{
		{"a b", time.Hour, addresses, "cannot be a name"},
		{"../x", time.Hour, addresses, "cannot be a name"},
		{"x", 0, addresses, "a token lives"},
		{"x", 1000 * time.Hour, addresses, "a token lives"},
		{"x", time.Hour, nil, "from 1 to"},
		{"x", time.Hour, []string{"nowhere"}, "want HOST:PORT"},
		{"known", time.Hour, addresses, "is enrolled already"},
		{"server-1", time.Hour, addresses, "server-1 is this node itself"},
	} {
		if _, err := s.Issue("server-1", test.name, Node, test.ttl, test.addresses); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
	if n := len(s.Pending()); n != 0 {
		t.Errorf("%d tokens wait", n)
	}
	testToken(t, s)
	testToken(t, s)
	if n := len(s.Pending()); n != 1 {
		t.Errorf("%d tokens wait for one name", n)
	}
}

// FuzzToken: a text is an error or a token that survives a round trip.
func FuzzToken(f *testing.F) {
	f.Add(testToken(f, testStore(f)).Text())
	f.Add(tokenPrefix)
	f.Add(tokenPrefix + "AAAA")
	f.Fuzz(func(t *testing.T, text string) {
		token, err := ParseToken(text)
		if err != nil {
			return
		}
		again, err := ParseToken(token.Text())
		if err != nil || !reflect.DeepEqual(again, token) {
			t.Errorf("%#v became %#v, %v", token, again, err)
		}
	})
}
