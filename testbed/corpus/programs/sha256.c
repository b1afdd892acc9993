/* SHA-256 (FIPS 180-4): rotations, shifts, arrays on the stack. */
// exit: 0
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static uint32_t k[64], initial[8];

/* The constants are the fractions of roots of the first primes (FIPS 180-4, 4.2.2, 5.3.3),
   found here in integers. */
static uint32_t root_fraction(unsigned prime, int degree)
{
	unsigned __int128 lo = 0, hi = (unsigned __int128)1 << 40;
	while (lo + 1 < hi) {
		unsigned __int128 mid = (lo + hi) / 2, power = mid * mid;
		int shift = 64;
		if (degree == 3)
			power = (power >> 24) * mid, shift = 72;
		if (power >> shift < prime)
			lo = mid;
		else
			hi = mid;
	}
	return (uint32_t)lo;
}

static uint32_t ror(uint32_t x, int n) { return x >> n | x << (32 - n); }

static void block(uint32_t *h, const uint8_t *p)
{
	uint32_t w[64], v[8];
	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 | (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
	for (int i = 16; i < 64; i++)
		w[i] = w[i - 16] + (ror(w[i - 15], 7) ^ ror(w[i - 15], 18) ^ w[i - 15] >> 3) + w[i - 7] +
		       (ror(w[i - 2], 17) ^ ror(w[i - 2], 19) ^ w[i - 2] >> 10);
	memcpy(v, h, sizeof v);
	for (int i = 0; i < 64; i++) {
		uint32_t t1 = v[7] + (ror(v[4], 6) ^ ror(v[4], 11) ^ ror(v[4], 25)) + ((v[4] & v[5]) ^ (~v[4] & v[6])) + k[i] + w[i];
		uint32_t t2 = (ror(v[0], 2) ^ ror(v[0], 13) ^ ror(v[0], 22)) + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
		memmove(v + 1, v, 7 * sizeof *v);
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (int i = 0; i < 8; i++)
		h[i] += v[i];
}

static void digest(const char *text, size_t n)
{
	uint32_t h[8];
	uint8_t tail[128] = {0};
	memcpy(h, initial, sizeof h);
	size_t i = 0;
	for (; i + 64 <= n; i += 64)
		block(h, (const uint8_t *)text + i);
	memcpy(tail, text + i, n - i);
	tail[n - i] = 0x80;
	size_t size = n - i < 56 ? 64 : 128;
	for (int b = 0; b < 8; b++)
		tail[size - 1 - b] = (uint8_t)((uint64_t)n * 8 >> 8 * b);
	for (size_t b = 0; b < size; b += 64)
		block(h, tail + b);
	for (int b = 0; b < 8; b++)
		printf("%08x", h[b]);
	printf("\n");
}

int main(void)
{
	int n = 0;
	for (unsigned p = 2; n < 64; p++) {
		int prime = 1;
		for (unsigned d = 2; d * d <= p; d++)
			prime &= p % d != 0;
		if (!prime)
			continue;
		if (n < 8)
			initial[n] = root_fraction(p, 2);
		k[n++] = root_fraction(p, 3);
	}
	digest("", 0);
	digest("abc", 3);
	static char big[3000];
	memset(big, 'a', sizeof big);
	for (int i = 40; i < 3000; i += 590)
		digest(big, (size_t)i);
	return 0;
}
