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
	var used Bitmap
	if anonymous {
		used = InUse(mem, pageMap)
	}
	return &Offer{leavesOf(mem, used)}
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

// Among returns the pages of a set that memory has as the offer says. They may change meanwhile.
func (o *Offer) Among(set Bitmap, mem []byte) Bitmap {
	same := NewBitmap(uint64(len(o.leaves)))
	for p, leaf := range o.leaves {
		if n := uint64(p); leaf != zeroLeaf && set.Has(n) && leafOf(mem[n*PageSize:][:PageSize]) == leaf {
			same.Set(n)
		}
	}
	return same
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
	n, err := w.Write(append(offerHeader(offerMagic, pages, body), body...))
	if err != nil {
		err = fmt.Errorf("offer pages: %w", err)
	}
	return int64(n), err
}

// offerHeader is what precedes a body.
func offerHeader(magic string, pages uint64, body []byte) []byte {
	b := append(make([]byte, 0, offerHdrLen+len(body)), magic...)
	b = binary.LittleEndian.AppendUint64(b, pages)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(body)))
	b = binary.LittleEndian.AppendUint64(b, xxhash.Sum64(body))
	return binary.LittleEndian.AppendUint64(b, xxhash.Sum64(b))
}

// checkOfferHeader checks all of a header but its magic number, and returns the bytes of the
// body. An empty body is of any memory.
func checkOfferHeader(hdr *[offerHdrLen]byte, pages uint64) (length uint64, err error) {
	if binary.LittleEndian.Uint64(hdr[32:]) != xxhash.Sum64(hdr[:32]) {
		return 0, bad(ErrChecksum, "header of an offer")
	}
	length = binary.LittleEndian.Uint64(hdr[16:])
	if length == 0 {
		return 0, nil
	}
	if n := binary.LittleEndian.Uint64(hdr[8:]); n != pages || pages > maxPages {
		return 0, bad(ErrGeometry, "%d pages, here %d", n, pages)
	}
	if length > pages*(8+2*binary.MaxVarintLen64) {
		return 0, bad(ErrFormat, "%d bytes for %d pages", length, pages)
	}
	return length, nil
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
	return readOfferBody(r, &hdr, pages)
}

// readOfferBody reads what follows a header.
func readOfferBody(r io.Reader, hdr *[offerHdrLen]byte, pages uint64) (*Offer, error) {
	if string(hdr[:8]) != offerMagic {
		return nil, bad(ErrFormat, "no magic number")
	}
	length, err := checkOfferHeader(hdr, pages)
	if length == 0 {
		return nil, err
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
