/* Big static arrays: a sieve and a histogram over megabytes of bss. */
// exit: 0
#include <stdio.h>
#include <string.h>

static unsigned char composite[400000];
static unsigned histogram[70000];
static long diagonal[300][300];

int main(void)
{
	int primes = 0;
	for (int i = 2; i < 400000; i++) {
		if (composite[i])
			continue;
		primes++;
		for (long k = (long)i * i; k < 400000; k += i)
			composite[k] = 1;
	}
	printf("%d primes\n", primes);
	unsigned x = 1;
	for (int i = 0; i < 200000; i++) {
		x = x * 1664525 + 1013904223;
		histogram[x % 70000]++;
	}
	unsigned most = 0, empty = 0;
	for (int i = 0; i < 70000; i++) {
		most = histogram[i] > most ? histogram[i] : most;
		empty += histogram[i] == 0;
	}
	printf("most %u, empty %u\n", most, empty);
	for (int i = 0; i < 300; i++)
		for (int k = 0; k < 300; k++)
			diagonal[i][k] = i && k ? diagonal[i - 1][k - 1] + i * k : i + k;
	printf("%ld\n", diagonal[299][298]);
	memset(composite, 0, sizeof composite);
	return composite[399999];
}
