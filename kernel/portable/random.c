/* Random bytes: ChaCha20 (RFC 8439) with fast key erasure: each request's first bytes of
   keystream become the next key, so that what was given out cannot be computed from the
   state that travels. The host's seed is mixed in at start and at each resume. */
#include "chacha20.h"
#include "kernel.h"

static uint32_t key[8];

void random_reseed(void)
{
	uint32_t block[16], nonce[3] = {0};
	for (int i = 0; i < 8; i++) {
		uint32_t word;
		memcpy(&word, MIG_CTL->seed + 4 * i, 4);
		key[i] ^= word;
	}
	memset(MIG_CTL->seed, 0, sizeof MIG_CTL->seed); /* used once */
	chacha20_block(key, 0, nonce, block);
	memcpy(key, block, sizeof key);
}

void random_bytes(void *buf, size_t n)
{
	uint32_t block[16], nonce[3] = {0}, next[8];
	uint64_t counter = 0;
	uint8_t *out = buf;
	chacha20_block(key, 0, nonce, block);
	memcpy(next, block, sizeof next);
	while (n > 0) {
		size_t take = n < sizeof block ? n : sizeof block;
		counter++;
		nonce[0] = counter >> 32; /* a request of 256 GiB still has no block twice */
		chacha20_block(key, counter, nonce, block);
		memcpy(out, block, take);
		out += take;
		n -= take;
	}
	memcpy(key, next, sizeof key);
}

SYSCALL3(getrandom, void *, buf, size_t, n, unsigned, flags)
{
	(void)flags; /* never blocks, and has one pool */
	CHECK_POINTER(buf);
	random_bytes(buf, n);
	return n;
}
