#include <string.h>

#include "strings.h"

size_t strlen(const char *s)
{
	const char *at = s;
	for (; (uintptr_t)at % sizeof(word); at++)
		if (!*at)
			return at - s;
	for (; (uintptr_t)at % sizeof(block); at += sizeof(word))
		if (zeros(*(const word *)at))
			goto found;
	while (!has_zero(*(const block *)at))
		at += sizeof(block);
	while (!zeros(*(const word *)at))
		at += sizeof(word);
found:
	return at - s + first(zeros(*(const word *)at));
}
