#include "chacha20.h"

static uint32_t rotl(uint32_t x, int n)
{
	return x << n | x >> (32 - n);
}

/* RFC 8439, 2.1 */
static void quarter_round(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
	*a += *b, *d = rotl(*d ^ *a, 16);
	*c += *d, *b = rotl(*b ^ *c, 12);
	*a += *b, *d = rotl(*d ^ *a, 8);
	*c += *d, *b = rotl(*b ^ *c, 7);
}

void chacha20_block(const uint32_t key[8], uint32_t counter, const uint32_t nonce[3],
		    uint32_t out[16])
{
	const uint32_t in[16] = {
		0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, /* "expand 32-byte k" */
		key[0], key[1], key[2], key[3], key[4], key[5], key[6], key[7],
		counter, nonce[0], nonce[1], nonce[2],
	};
	uint32_t x[16];
	for (int i = 0; i < 16; i++)
		x[i] = in[i];
	for (int i = 0; i < 10; i++) {
		quarter_round(x + 0, x + 4, x + 8, x + 12);
		quarter_round(x + 1, x + 5, x + 9, x + 13);
		quarter_round(x + 2, x + 6, x + 10, x + 14);
		quarter_round(x + 3, x + 7, x + 11, x + 15);
		quarter_round(x + 0, x + 5, x + 10, x + 15);
		quarter_round(x + 1, x + 6, x + 11, x + 12);
		quarter_round(x + 2, x + 7, x + 8, x + 13);
		quarter_round(x + 3, x + 4, x + 9, x + 14);
	}
	for (int i = 0; i < 16; i++)
		out[i] = x[i] + in[i];
}
