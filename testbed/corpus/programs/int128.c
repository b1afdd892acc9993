/* 128-bit integers in registers, records, arguments and results. */
// exit: 0
#include <stdio.h>

typedef unsigned __int128 u128;
typedef __int128 i128;

static void put(u128 x)
{
	if (x >= 10)
		put(x / 10);
	putchar('0' + (int)(x % 10));
}

static u128 factorial(int n) { return n ? (u128)n * factorial(n - 1) : 1; }

static u128 power_mod(u128 base, u128 exponent, u128 m)
{
	u128 r = 1;
	for (; exponent; exponent >>= 1) {
		if (exponent & 1)
			r = r * base % m;
		base = base * base % m;
		fflush(stdout);
	}
	return r;
}

static i128 alternate(int n, i128 x) { return n ? alternate(n - 1, -x * 3 + n) : x; }

int main(void)
{
	put(factorial(33)), putchar('\n');
	put(power_mod(3, ((u128)1 << 90) + 12345, ((u128)1 << 61) - 1)), putchar('\n');
	i128 a = alternate(70, 1);
	printf("%s", a < 0 ? "-" : "");
	put(a < 0 ? -(u128)a : (u128)a), putchar('\n');
	printf("%d %d\n", (int)(a % 1000), (int)(a >> 100));
	double d = (double)factorial(30);
	printf("%.17g %ld\n", d, (long)((u128)1e30 >> 64));
	return 0;
}
