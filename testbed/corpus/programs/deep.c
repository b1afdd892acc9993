/* A stack of some ten thousand frames, left and entered again at any depth. */
// exit: 0
#include <stdio.h>

static unsigned mix(unsigned a, unsigned b) { return (a ^ b) * 2654435761u + 1; }

static unsigned deep(int n, unsigned seed, unsigned *trail)
{
	unsigned local[3] = {seed, (unsigned)n, mix(seed, (unsigned)n)};
	if (n == 0)
		return local[2];
	*trail ^= local[n % 3];
	unsigned below = deep(n - 1, local[2], trail);
	return mix(below, local[n % 3]);
}

int main(void)
{
	unsigned trail = 0;
	unsigned r = deep(10000, 7, &trail);
	printf("%u %u\n", r, trail);
	return 0;
}
