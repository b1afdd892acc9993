package statexfer

import (
	"crypto/subtle"
	"encoding/binary"
	"sync"
)

// A deltaCache keeps what pages were sent as that changed before and so are likely to change
// again. It is bounded: a page for which there is no room is sent whole each time.
type deltaCache struct {
	mu   sync.Mutex
	sent map[uint64]*sentPage // by page number; one worker at a time has to do with a page
	room int                  // pages that may still be added
}

// A sentPage is what a page was sent as. It may have been sent otherwise since, as zeros or as
// equal to another: then its hash is not that of what the receiver has.
type sentPage struct {
	leaf    uint64
	content []byte
}

// deltaPages is how many pages are kept at most: 4 MiB. Of others hashes of parts (partTable) save most
// of what is to be saved.
const deltaPages = 1024

func newDeltaCache() *deltaCache {
	return &deltaCache{sent: make(map[uint64]*sentPage), room: deltaPages}
}

// before returns what a page was sent as, to be replaced by its present content; nil where that
// is not known, and the content is to be noted with add.
func (c *deltaCache) before(page uint64) *sentPage {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent[page]
}

// add begins to keep a page.
func (c *deltaCache) add(page, leaf uint64, content []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.room > 0 {
		c.room--
		c.sent[page] = &sentPage{leaf, append([]byte(nil), content...)}
	}
}

// sparse says whether pages differ in so few words that the difference is worth sending.
func sparse(a, b []byte) bool {
	differ := 0
	for at := 0; at < PageSize; at += 8 {
		if binary.NativeEndian.Uint64(a[at:]) != binary.NativeEndian.Uint64(b[at:]) {
			if differ++; differ > PageSize/8/4 {
				return false
			}
		}
	}
	return true
}

// xor puts into dst what a and b differ in.
func xor(dst, a, b []byte) { subtle.XORBytes(dst, a, b) }
