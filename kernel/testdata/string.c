/* memcpy and its like at every small size and alignment, beside plain loops. The build gives
   them other names, for this process has its own. */
#include "harness.h"

void *mig_memcpy(void *, const void *, size_t);
void *mig_memmove(void *, const void *, size_t);
void *mig_memset(void *, int, size_t);
int mig_memcmp(const void *, const void *, size_t);
int mig_bcmp(const void *, const void *, size_t);

#define SIZE 1024

static uint8_t got[SIZE], want[SIZE], from[SIZE];

static void fill(void)
{
	for (int i = 0; i < SIZE; i++) {
		from[i] = harness_random();
		got[i] = want[i] = harness_random();
	}
}

static void same(const char *what, int to, int at, int n)
{
	for (int i = 0; i < SIZE; i++)
		if (got[i] != want[i])
			harness_fail(__FILE__, __LINE__, "%s to %d from %d, %d bytes: byte %d is wrong", what, to, at, n, i);
}

static int sign(int x)
{
	return (x > 0) - (x < 0);
}

void test(void)
{
	for (int n = 0; n <= 400; n++) {
		for (int to = 0; to < 18; to += 1 + n / 64) {
			int at = harness_random() % 18;
			fill();
			CHECK(mig_memcpy(got + to, from + at, n) == got + to);
			for (int i = 0; i < n; i++)
				want[to + i] = from[at + i];
			same("memcpy", to, at, n);

			int c = harness_random();
			fill();
			CHECK(mig_memset(got + to, c, n) == got + to);
			for (int i = 0; i < n; i++)
				want[to + i] = c;
			same("memset", to, c, n);

			/* Overlapping, both ways. */
			int target = harness_random() % 500, source = target - 90 + (int)(harness_random() % 180);
			if (source < 0)
				source = 0;
			fill();
			CHECK(mig_memmove(got + target, got + source, n) == got + target);
			for (int i = 0; i < SIZE; i++)
				from[i] = want[i];
			for (int i = 0; i < n; i++)
				want[target + i] = from[source + i];
			same("memmove", target, source, n);

			fill();
			for (int i = 0; i < n; i++)
				got[to + i] = from[at + i];
			EQUAL(mig_memcmp(got + to, from + at, n), 0);
			EQUAL(mig_bcmp(got + to, from + at, n), 0);
			if (n) {
				int i = harness_random() % n;
				got[to + i] ^= 1 + harness_random() % 255;
				int order = got[to + i] < from[at + i] ? -1 : 1;
				EQUAL(sign(mig_memcmp(got + to, from + at, n)), order);
				CHECK(mig_bcmp(got + to, from + at, n) != 0);
			}
		}
	}
}
