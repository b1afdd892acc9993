/* What libgcc's unwinder wants of a C library, under names of their own (kernel/Makefile
   renames its references): the program's functions of these names are the program's, and may
   be anywhere on a stack that is being left. */
#include <stddef.h>

#include "native.h"

_Noreturn void unwinder_abort(void)
{
	__mig_panic("the unwinder gave up");
}

size_t unwinder_strlen(const char *s)
{
	size_t n = 0;
	while (s[n])
		n++;
	return n;
}

char *unwinder_strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)s;
		if (!*s)
			return NULL;
	}
}
