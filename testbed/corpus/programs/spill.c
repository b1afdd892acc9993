/* More values live across a call than any machine has registers, of many types. */
// exit: 0
#include <stdio.h>

static int step(int x)
{
	printf("%s", "");
	return x * 7 + 3;
}

static double many(int a, long b, double c, float d, unsigned char e, short f, const char *g, _Bool h, long double i,
	unsigned __int128 j, double k, double l, int m, int n, unsigned long o, double p)
{
	double total = 0;
	for (int r = 0; r < 12; r++) {
		int s = step(r);
		double t = c * s, u = d / (s + 1), v = k - l, w = p + r;
		long x = b ^ s, y = (long)o - f;
		total += t + u * v - w + (double)(x % 100) + (double)(y & 31) + e + g[s % 4] + h + (double)i + (double)(j >> 90) + a * m - n;
		a = step(a) % 1000, b += f, c *= 0.75, d += 0.5f, e++, f--, h = !h, i /= 3, j *= 5, k += l, l -= 0.1, m ^= n, n += r, o *= 3, p = -p;
	}
	return total;
}

int main(void)
{
	printf("%a\n", many(1, 2, 3.5, 4.25f, 5, -6, "seven", 1, 9.5L, (unsigned __int128)10 << 88, 11, 12.5, 13, 14, 15, 16.125));
	return 0;
}
