/* Arbitrary precision: digits of pi by a spigot, and large factorials. */
// exit: 0
#include <stdio.h>
#include <stdlib.h>

static void pi(int digits)
{
	int n = digits * 10 / 3 + 2, nines = 0, held = -1;
	int *r = malloc((size_t)n * sizeof *r);
	for (int i = 0; i < n; i++)
		r[i] = 2;
	for (int d = 0; d < digits; d++) {
		int carry = 0;
		for (int i = n - 1; i > 0; i--) {
			int x = r[i] * 10 + carry * (i + 1);
			r[i] = x % (2 * i + 1);
			carry = x / (2 * i + 1);
		}
		int x = r[0] * 10 + carry, q = x / 10;
		r[0] = x % 10;
		if (q == 9) {
			nines++;
			continue;
		}
		if (held >= 0)
			putchar('0' + held + (q == 10));
		for (; nines; nines--)
			putchar(q == 10 ? '0' : '9');
		held = q == 10 ? 0 : q;
	}
	putchar('\n');
	free(r);
}

static void factorial(int n)
{
	unsigned *limb = calloc(64, sizeof *limb);
	int used = 1;
	limb[0] = 1;
	for (int m = 2; m <= n; m++) {
		unsigned long carry = 0;
		for (int i = 0; i < used; i++) {
			carry += (unsigned long)limb[i] * (unsigned)m;
			limb[i] = (unsigned)(carry % 1000000000);
			carry /= 1000000000;
		}
		if (carry)
			limb[used++] = (unsigned)carry;
	}
	printf("%u", limb[used - 1]);
	for (int i = used - 2; i >= 0; i--)
		printf("%09u", limb[i]);
	printf("\n");
	free(limb);
}

int main(void)
{
	pi(120);
	for (int n = 10; n <= 100; n += 30)
		factorial(n);
	return 0;
}
