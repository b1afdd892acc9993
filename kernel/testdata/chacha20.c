/* RFC 8439, 2.3.2 and appendix A.1; and the generator on top of it. */
#include "chacha20.h"

#include "harness.h"
#include "kernel.h"

void test(void)
{
	const uint32_t key[8] = {
		0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c,
		0x13121110, 0x17161514, 0x1b1a1918, 0x1f1e1d1c,
	};
	const uint32_t nonce[3] = {0x09000000, 0x4a000000, 0x00000000};
	const uint32_t want[16] = {
		0xe4e7f110, 0x15593bd1, 0x1fdd0f50, 0xc47120a3,
		0xc7f4d1c7, 0x0368c033, 0x9aaa2204, 0x4e6cd4c3,
		0x466482d2, 0x09aa9f07, 0x05d7c214, 0xa2028bd9,
		0xd19c12b5, 0xb94e16de, 0xe883d0cb, 0x4e3c50a2,
	};
	uint32_t got[16];
	chacha20_block(key, 1, nonce, got);
	for (int i = 0; i < 16; i++)
		EQUAL(got[i], want[i]);

	const uint32_t zero[8] = {0};
	const uint32_t first[4] = {0xade0b876, 0x903df1a0, 0xe56a5d40, 0x28bd8653};
	chacha20_block(zero, 0, zero, got);
	for (int i = 0; i < 4; i++)
		EQUAL(got[i], first[i]);

	/* The same seed gives the same bytes, once; the seed is not left behind. */
	harness_map(1 << 20);
	uint8_t a[200], b[200];
	random_reseed();
	for (size_t i = 0; i < sizeof MIG_CTL->seed; i++)
		EQUAL(MIG_CTL->seed[i], 0);
	EQUAL(__mig_sys_getrandom((long)a, sizeof a, 0), sizeof a);
	EQUAL(__mig_sys_getrandom((long)b, sizeof b, 0), sizeof b);
	CHECK(memcmp(a, b, sizeof a) != 0);
	CHECK(memcmp(a, a + 64, 64) != 0);
	EQUAL(__mig_sys_getrandom(0, 1, 0), -EFAULT);
}
