#include "guest.h"

uint32_t length(const char *s)
{
	uint32_t n = 0;
	while (s[n])
		n++;
	return n;
}

int equal(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

uint64_t number(const char *s)
{
	uint64_t n = 0;
	while (*s >= '0' && *s <= '9')
		n = n * 10 + (*s++ - '0');
	return n;
}

void put(const char *s) { print(MIG_STREAM_STDOUT, s, length(s)); }

void put_number(uint64_t n)
{
	char text[24], *p = text + sizeof text;
	*--p = '\n';
	do
		*--p = '0' + n % 10;
	while (n /= 10);
	print(MIG_STREAM_STDOUT, p, text + sizeof text - p);
}

void *memcpy(void *to, const void *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((volatile char *)to)[i] = ((const char *)from)[i];
	return to;
}

void *memset(void *to, int c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((volatile char *)to)[i] = c;
	return to;
}
