package statexfer

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"testing"
)

// agreed is what both sides make of an offer, and how many bytes the receiver said.
func agreed(t *testing.T, offer, known *Offer, pages uint64) (got *Offer, bytes int) {
	t.Helper()
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	counted := &countingConn{Conn: a}
	proposed := make(chan error, 1)
	go func() { proposed <- offer.Propose(counted) }()
	got, err := Agree(b, pages, known)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-proposed; err != nil {
		t.Fatal(err)
	}
	return got, counted.written
}

type countingConn struct {
	net.Conn
	written int
}

func (c *countingConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.written += n
	return n, err
}

func randomOffer(pages int) *Offer {
	rng := rand.New(rand.NewPCG(5, 6))
	leaves := newDigester(uint64(pages)).leaves
	for i := range leaves {
		if i%3 != 0 {
			leaves[i] = rng.Uint64()
		}
	}
	return OfferOf(leaves)
}

func same(a, b *Offer) bool { return a.Digest() == b.Digest() }

func TestAgree(t *testing.T) {
	const pages = 10000
	offer := randomOffer(pages)
	if got, n := agreed(t, offer, randomOffer(pages), pages); !same(got, offer) || n > 100 {
		t.Errorf("what the sender knows took %d bytes", n)
	}
	if got, n := agreed(t, offer, nil, pages); !same(got, offer) || n < 8*pages/2 {
		t.Errorf("what it does not know took %d bytes", n)
	}
	// One page that is not what it was: the sender must not take the rest on trust.
	other := randomOffer(pages)
	other.leaves[4711]++
	if got, _ := agreed(t, offer, other, pages); !same(got, offer) {
		t.Error("the sender believes that the receiver has what it has not")
	}
	if got, n := agreed(t, nil, other, pages); got != nil || n > 100 {
		t.Errorf("nothing took %d bytes, and is %d pages", n, got.Pages())
	}
	few := newDigester(pages).leaves
	few[5] = 1
	if got, _ := agreed(t, OfferOf(few), other, pages); got.Pages() != 1 {
		t.Errorf("%d pages", got.Pages())
	}
}

// replies is a receiver that says what it likes.
type replies struct {
	io.Reader
	io.Writer
}

func FuzzAgree(f *testing.F) {
	offer := randomOffer(100)
	var list bytes.Buffer
	if _, err := offer.WriteTo(&list); err != nil {
		f.Fatal(err)
	}
	digest := offer.Digest()
	proposal := append(offerHeader(proposalMagic, 100, digest[:]), digest[:]...)
	f.Add(list.Bytes())
	f.Add(proposal)
	f.Add(append(append([]byte(nil), proposal[:len(proposal)-1]...), append([]byte{1}, list.Bytes()...)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := Agree(replies{bytes.NewReader(b), io.Discard}, 100, offer)
		if err == nil && o != nil && len(o.leaves) != 100 {
			t.Fatalf("an offer of %d pages", len(o.leaves))
		}
	})
}

// A proposal for another memory, or with another length, is refused.
func TestBadProposal(t *testing.T) {
	digest := randomOffer(100).Digest()
	for name, b := range map[string][]byte{
		"pages":  append(offerHeader(proposalMagic, 99, digest[:]), digest[:]...),
		"length": append(offerHeader(proposalMagic, 100, digest[:31]), digest[:31]...),
		"digest": append(offerHeader(proposalMagic, 100, digest[:]), make([]byte, 32)...),
		"cut":    offerHeader(proposalMagic, 100, digest[:]),
		"magic":  append(offerHeader("nonsense", 100, digest[:]), digest[:]...),
	} {
		if _, err := Agree(replies{bytes.NewReader(b), io.Discard}, 100, nil); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	err := randomOffer(100).Propose(replies{bytes.NewReader([]byte{7}), io.Discard})
	if !errors.Is(err, ErrFormat) {
		t.Errorf("an answer that means nothing: %v", err)
	}
}
