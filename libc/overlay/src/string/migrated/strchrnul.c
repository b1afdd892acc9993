#define _GNU_SOURCE
#include <string.h>

#include "strings.h"

char *__strchrnul(const char *s, int c)
{
	unsigned char wanted = c;
	for (; (uintptr_t)s % sizeof(word); s++)
		if (!*s || *(const unsigned char *)s == wanted)
			return (char *)s;
	uint64_t each = ONES * wanted, found;
	for (; (uintptr_t)s % sizeof(block); s += sizeof(word))
		if ((found = zeros(*(const word *)s) | zeros(*(const word *)s ^ each)))
			return (char *)s + first(found);
	/* The lesser of a byte and its difference is zero where one of them is. */
	for (block b; b = *(const block *)s, !has_zero(__builtin_elementwise_min(b, b ^ wanted));)
		s += sizeof(block);
	while (!(found = zeros(*(const word *)s) | zeros(*(const word *)s ^ each)))
		s += sizeof(word);
	return (char *)s + first(found);
}
weak_alias(__strchrnul, strchrnul);
