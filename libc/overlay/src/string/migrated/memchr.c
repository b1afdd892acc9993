#include <string.h>

#include "strings.h"

void *memchr(const void *from, int c, size_t n)
{
	const unsigned char *at = from;
	unsigned char wanted = c;
	for (; (uintptr_t)at % sizeof(word) && n; at++, n--)
		if (*at == wanted)
			return (void *)at;
	uint64_t each = ONES * wanted, found;
	for (; (uintptr_t)at % sizeof(block) && n >= sizeof(word); at += sizeof(word), n -= sizeof(word))
		if ((found = zeros(*(const word *)at ^ each)))
			return (void *)(at + first(found));
	for (; n >= sizeof(block) && !has_zero(*(const block *)at ^ wanted); n -= sizeof(block))
		at += sizeof(block);
	for (; n >= sizeof(word); at += sizeof(word), n -= sizeof(word))
		if ((found = zeros(*(const word *)at ^ each)))
			return (void *)(at + first(found));
	for (; n; at++, n--)
		if (*at == wanted)
			return (void *)at;
	return NULL;
}
