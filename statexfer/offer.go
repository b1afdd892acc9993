package statexfer

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"

	"github.com/cespare/xxhash/v2"
)

// An Offer says what a receiver's memory holds before a transfer begins, by a hash of each
// page: pages of the VM's stay before, or of a checkpoint. The sender names those that are
// what it would send.
type Offer struct {
	leaves []uint64 // by page number
}

// NewOffer offers what mem holds. anonymous and pageMap are as in Options.
func NewOffer(mem []byte, anonymous bool, pageMap *os.File) *Offer {
	holes := newHoleFinder(mem, &Options{Anonymous: anonymous, PageMap: pageMap})
	defer holes.done()
	return &Offer{leavesOf(mem, &holes)}
}

// OfferOf offers pages with these hashes, as ReceiveOptions.Leaves gives them.
func OfferOf(leaves []uint64) *Offer { return &Offer{leaves} }

// Pages returns how many pages of the offer are not zero.
func (o *Offer) Pages() (n uint64) {
	if o == nil {
		return 0
	}
	for _, leaf := range o.leaves {
		if leaf != zeroLeaf {
			n++
		}
	}
	return n
}

// An offer on the wire is a header and a body of runs: uvarints of the pages skipped since the
// end of the run before and of the pages in the run, and the hash of each.
const (
	offerMagic  = "migoffer"
	offerHdrLen = 40 // magic, pages, bytes of the body, checksum of the body, checksum of the header
)

// WriteTo writes the offer; a nil one is empty.
func (o *Offer) WriteTo(w io.Writer) (int64, error) {
	var body []byte
	pages, end := uint64(0), uint64(0)
	if o != nil {
		pages = uint64(len(o.leaves))
	}
	for p := uint64(0); p < pages; p++ {
		if o.leaves[p] == zeroLeaf {
			continue
		}
		first := p
		for p < pages && o.leaves[p] != zeroLeaf {
			p++
		}
		body = binary.AppendUvarint(body, first-end)
		body = binary.AppendUvarint(body, p-first)
		for _, leaf := range o.leaves[first:p] {
			body = binary.LittleEndian.AppendUint64(body, leaf)
		}
		end = p
	}
	b := append(make([]byte, 0, offerHdrLen+len(body)), offerMagic...)
	b = binary.LittleEndian.AppendUint64(b, pages)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(body)))
	b = binary.LittleEndian.AppendUint64(b, xxhash.Sum64(body))
	b = binary.LittleEndian.AppendUint64(b, xxhash.Sum64(b))
	n, err := w.Write(append(b, body...))
	if err != nil {
		err = fmt.Errorf("offer pages: %w", err)
	}
	return int64(n), err
}

// ReadOffer reads an offer for a memory of that many pages, and nothing behind it. An empty
// one is nil.
func ReadOffer(r io.Reader, pages uint64) (*Offer, error) {
	o, err := readOffer(r, pages)
	if err != nil {
		return nil, fmt.Errorf("read which pages are there: %w", err)
	}
	return o, nil
}

func readOffer(r io.Reader, pages uint64) (*Offer, error) {
	var hdr [offerHdrLen]byte
	if _, err := io.ReadFull(r, hdr[:]); err != nil {
		return nil, err
	}
	if string(hdr[:8]) != offerMagic {
		return nil, bad(ErrFormat, "no magic number")
	}
	if binary.LittleEndian.Uint64(hdr[32:]) != xxhash.Sum64(hdr[:32]) {
		return nil, bad(ErrChecksum, "header of an offer")
	}
	length := binary.LittleEndian.Uint64(hdr[16:])
	if length == 0 {
		return nil, nil
	}
	if n := binary.LittleEndian.Uint64(hdr[8:]); n != pages || pages > maxPages {
		return nil, bad(ErrGeometry, "%d pages, here %d", n, pages)
	}
	if length > pages*(8+2*binary.MaxVarintLen64) {
		return nil, bad(ErrFormat, "%d bytes for %d pages", length, pages)
	}
	sum := xxhash.New()
	in := bufio.NewReaderSize(io.TeeReader(io.LimitReader(r, int64(length)), sum), 64<<10)
	o := &Offer{newDigester(pages).leaves}
	for end := uint64(0); ; {
		skip, err := binary.ReadUvarint(in)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, bad(ErrFormat, "offer: %v", err)
		}
		count, err := binary.ReadUvarint(in)
		if err != nil || count == 0 {
			return nil, bad(ErrFormat, "offer: bad run")
		}
		if skip > pages-end || count > pages-end-skip {
			return nil, bad(ErrPageRange, "region has %d pages", pages)
		}
		end += skip
		for range count {
			var leaf [8]byte
			if _, err := io.ReadFull(in, leaf[:]); err != nil {
				return nil, bad(ErrFormat, "offer: %v", err)
			}
			o.leaves[end] = binary.LittleEndian.Uint64(leaf[:])
			end++
		}
	}
	if sum.Sum64() != binary.LittleEndian.Uint64(hdr[24:]) {
		return nil, bad(ErrChecksum, "body of an offer")
	}
	return o, nil
}
