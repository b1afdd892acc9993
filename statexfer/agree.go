package statexfer

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/cespare/xxhash/v2"
)

// A receiver and a sender agree on what is there already. Eight bytes for each page are much
// where little else travels: a memory that came from the receiver unchanged is named by its
// digest, and only a sender that does not know it gets the list.

// A proposal is the digest of an offer: a header as an offer has it, then the digest.
const proposalMagic = "migknown"

const (
	answerList  = 0 // the sender wants the offer itself
	answerKnown = 1
)

// agreePages is from how many pages on an offer is named first.
const agreePages = 64

// Digest is that of the memory offered.
func (o *Offer) Digest() [32]byte { return DigestOf(o.leaves) }

// Propose tells the sender what the receiver has; nil: nothing.
func (o *Offer) Propose(rw io.ReadWriter) error {
	if o.Pages() >= agreePages {
		known, err := o.name(rw)
		if err != nil {
			return fmt.Errorf("offer pages: %w", err)
		}
		if known {
			return nil
		}
	}
	_, err := o.WriteTo(rw)
	return err
}

// name asks whether the sender knows the offer by its digest.
func (o *Offer) name(rw io.ReadWriter) (known bool, err error) {
	digest := o.Digest()
	b := offerHeader(proposalMagic, uint64(len(o.leaves)), digest[:])
	if _, err := rw.Write(append(b, digest[:]...)); err != nil {
		return false, err
	}
	var answer [1]byte
	if _, err := io.ReadFull(rw, answer[:]); err != nil {
		return false, err
	}
	switch answer[0] {
	case answerKnown:
		return true, nil
	case answerList:
		return false, nil
	}
	return false, bad(ErrFormat, "answer %d to an offer", answer[0])
}

// Agree returns what the receiver of a memory of that many pages has. known is what it may
// have, for all that the sender has seen of it; nil: nothing.
func Agree(rw io.ReadWriter, pages uint64, known *Offer) (*Offer, error) {
	o, err := agree(rw, pages, known)
	if err != nil {
		return nil, fmt.Errorf("read which pages are there: %w", err)
	}
	return o, nil
}

func agree(rw io.ReadWriter, pages uint64, known *Offer) (*Offer, error) {
	var hdr [offerHdrLen]byte
	if _, err := io.ReadFull(rw, hdr[:]); err != nil {
		return nil, err
	}
	if string(hdr[:8]) != proposalMagic {
		return readOfferBody(rw, &hdr, pages)
	}
	length, err := checkOfferHeader(&hdr, pages)
	if err != nil {
		return nil, err
	}
	var digest [32]byte
	if length != uint64(len(digest)) {
		return nil, bad(ErrFormat, "%d bytes of digest", length)
	}
	if _, err := io.ReadFull(rw, digest[:]); err != nil {
		return nil, err
	}
	if xxhash.Sum64(digest[:]) != binary.LittleEndian.Uint64(hdr[24:]) {
		return nil, bad(ErrChecksum, "digest of an offer")
	}
	if known != nil && uint64(len(known.leaves)) == pages && known.Digest() == digest {
		_, err := rw.Write([]byte{answerKnown})
		return known, err
	}
	if _, err := rw.Write([]byte{answerList}); err != nil {
		return nil, err
	}
	return readOffer(rw, pages)
}
