// Operations on megabytes in one call, which have to be left in their middle.
// exit: 0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 1 << 20 };

static unsigned sum(const unsigned char *p, size_t n)
{
	unsigned s = 1;
	for (size_t i = 0; i < n; i += 509)
		s = s * 31 + p[i];
	return s;
}

static void fill(unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)(i * i >> 7);
}

int main(int argc, char **argv)
{
	(void)argv;
	size_t size = SIZE + (size_t)argc * 333; // no constant
	unsigned char *a = malloc(2 * size), *b = malloc(2 * size);
	if (!a || !b)
		return 1;
	fill(a, 2 * size);
	printf("copied %d\n", memcpy(b, a, size) == b);
	printf("%u\n", sum(b, size));
	memmove(a + 1000, a, size);
	printf("up %u\n", sum(a, 2 * size));
	memmove(a, a + 100001, size);
	printf("down %u\n", sum(a, 2 * size));
	memset(b + 5, 'x', size);
	printf("set %u\n", sum(b, 2 * size));
	memcpy(b, a, size);
	printf("equal %d\n", memcmp(a, b, size));
	b[size - 2]++;
	printf("less %d\n", memcmp(a, b, size) < 0);
	b[70000]--;
	printf("more %d\n", memcmp(a, b, size) > 0);
	printf("prefix %d\n", memcmp(a, b, 70000));
	return 0;
}
