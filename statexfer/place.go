package statexfer

import "crypto/subtle"

// A scratch is a worker's memory, made when it is first needed.
type scratch struct {
	raw    []byte // pages of a batch of several runs
	planes []byte
}

// place puts the pages of a frame where they belong, and checks that they are what the sender
// had.
func (rc *receiver) place(b *inBatch, scratch *scratch) error {
	payload := b.body[b.frame.setLen:b.frame.covered()]
	var err error
	switch b.frame.kind {
	case kindZero:
		for _, r := range b.runs {
			rc.clear(r)
		}
	case kindLater:
		err = rc.later(b.runs)
	case kindBase:
		err = rc.keep(b.runs)
	case kindSame:
		err = rc.copySame(b)
	case kindDelta:
		err = rc.change(b, payload, scratch)
	case kindParts:
		err = rc.changeParts(b, payload, scratch)
	default:
		err = rc.fill(b, payload, scratch)
	}
	if err != nil {
		return err
	}
	if b.frame.kind != kindLater {
		rc.come(b.runs)
		if rc.sum(b.runs) != b.frame.pageSum {
			return bad(ErrDigest, "pages from %d on", b.runs[0].First)
		}
	}
	if rc.opt.Placed != nil {
		for _, r := range b.runs {
			rc.opt.Placed(r)
		}
	}
	return nil
}

// sum is what sumLeaves makes of pages as they are now.
func (rc *receiver) sum(runs []Run) uint64 {
	var leaves [maxBatchPages]uint64
	n := 0
	for _, r := range runs {
		n += copy(leaves[n:], rc.digest.leaves[r.First:r.First+r.Count])
	}
	return sumLeaves(leaves[:n])
}

// fill places whole pages, straight from the decompressor where they are one run.
func (rc *receiver) fill(b *inBatch, payload []byte, scratch *scratch) error {
	if b.frame.bare { // they are where they belong
		for _, r := range b.runs {
			rc.digest.set(r, r.bytes(rc.mem))
		}
		return nil
	}
	if len(b.runs) == 1 {
		dst := b.runs[0].bytes(rc.mem)
		if err := decompress(rc.zstd, &b.frame, dst, payload, &scratch.planes); err != nil {
			return err
		}
		rc.digest.set(b.runs[0], dst)
		return nil
	}
	payload, err := rc.expand(b, payload, scratch)
	if err != nil {
		return err
	}
	for _, r := range b.runs {
		n := copy(r.bytes(rc.mem), payload)
		rc.digest.set(r, payload[:n])
		payload = payload[n:]
	}
	return nil
}

// change applies what pages differ in from what they were.
func (rc *receiver) change(b *inBatch, payload []byte, scratch *scratch) error {
	payload, err := rc.expand(b, payload, scratch)
	if err != nil {
		return err
	}
	for _, r := range b.runs {
		dst := r.bytes(rc.mem)
		subtle.XORBytes(dst, dst, payload[:len(dst)])
		rc.digest.set(r, dst)
		payload = payload[len(dst):]
	}
	return nil
}

// changeParts replaces parts of pages.
func (rc *receiver) changeParts(b *inBatch, payload []byte, scratch *scratch) error {
	payload, err := rc.expand(b, payload, scratch)
	if err != nil {
		return err
	}
	masks, err := partMasks(payload, b.frame.pages)
	if err != nil {
		return err
	}
	for _, r := range b.runs {
		for p := r.First; p < r.First+r.Count; p++ {
			page := Run{p, 1}
			dst := page.bytes(rc.mem)
			payload = placeParts(dst, masks[0], payload)
			masks = masks[1:]
			rc.digest.set(page, dst)
		}
	}
	return nil
}

// expand decompresses a payload into scratch, unless it is not compressed.
func (rc *receiver) expand(b *inBatch, payload []byte, scratch *scratch) ([]byte, error) {
	if b.frame.codec == None {
		return payload, nil
	}
	if scratch.raw == nil {
		scratch.raw = make([]byte, maxRaw)
	}
	raw := scratch.raw[:b.frame.rawLen]
	return raw, decompress(rc.zstd, &b.frame, raw, payload, &scratch.planes)
}

// keep leaves pages as they were offered. They are in place, and their hashes are known.
func (rc *receiver) keep(runs []Run) error {
	if rc.opt.Base == nil || rc.stats.Rounds != 0 {
		return bad(ErrFormat, "pages that were not offered")
	}
	for _, r := range runs {
		for p := r.First; p < r.First+r.Count; p++ {
			if rc.opt.Base.leaves[p] == zeroLeaf {
				return bad(ErrFormat, "page %d was not offered", p)
			}
		}
	}
	return nil
}

// copySame places pages that are equal to others, which came in rounds before.
func (rc *receiver) copySame(b *inBatch) error {
	n := 0
	for _, r := range b.runs {
		for p := r.First; p < r.First+r.Count; p++ {
			ref := b.refs[n]
			n++
			if rc.awaits(ref) { // to read it would make it a page that is there
				return bad(ErrFormat, "a page is equal to one that is to come")
			}
			copy(Run{p, 1}.bytes(rc.mem), Run{ref, 1}.bytes(rc.mem))
			rc.digest.put(p, rc.digest.leaves[ref])
		}
	}
	return nil
}

// later notes pages that come by post-copy, and has them gone.
func (rc *receiver) later(runs []Run) error {
	rc.noteLater(runs)
	for _, r := range runs {
		if rc.opt.Free == nil {
			rc.clear(r)
			continue
		}
		if err := rc.opt.Free(r); err != nil {
			return err
		}
		rc.digest.setZero(r)
	}
	return nil
}

// noteLater notes pages that come by post-copy. Workers share the words of the set.
func (rc *receiver) noteLater(runs []Run) {
	rc.laterMu.Lock()
	defer rc.laterMu.Unlock()
	if !rc.awaited && rc.opt.Awaits != nil {
		rc.opt.Awaits()
	}
	rc.awaited = true
	for _, r := range runs {
		for p := r.First; p < r.First+r.Count; p++ {
			rc.opt.Later.Set(p)
		}
	}
}

// awaits says whether a page is to come by post-copy.
func (rc *receiver) awaits(page uint64) bool {
	rc.laterMu.Lock()
	defer rc.laterMu.Unlock()
	return rc.awaited && rc.opt.Later.Has(page)
}

// come notes that pages have come after all that were to come by post-copy.
func (rc *receiver) come(runs []Run) {
	rc.laterMu.Lock()
	defer rc.laterMu.Unlock()
	if !rc.awaited {
		return
	}
	for _, r := range runs {
		for p := r.First; p < r.First+r.Count; p++ {
			rc.opt.Later.Clear(p)
		}
	}
}
