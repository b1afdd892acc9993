/* String and memory functions, locale-independent character classes, conversions. */
// exit: 0
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int depth(int n) { return n ? 1 + depth(n - 1) : 0; }

int main(void)
{
	char text[128] = "the rain in Spain stays mainly in the plain", copy[128];
	printf("%zu %zu %td %td\n", strlen(text), strnlen(text, 9), strchr(text, 'S') - text, strrchr(text, 'i') - text);
	printf("%s|%s|%s\n", strstr(text, "stay"), strpbrk(text, "xyz"), strcasestr(text, "SPAIN") ? "found" : "missing");
	printf("%zu %zu\n", strspn(text, "aeht "), strcspn(text, "S"));
	printf("%d %d %d\n", strcmp("abc", "abd") < 0, strncmp("abcx", "abcy", 3), strcasecmp("HeLLo", "hEllO"));
	strcpy(copy, text);
	for (char *save, *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		printf("%s(%d) ", w, depth((int)strlen(w)));
	printf("\n");
	memmove(text + 4, text, 20);
	printf("%.30s|%d\n", text, memcmp(text, text + 4, 4));
	memset(text + 2, '*', 5);
	strcat(strncpy(copy, text, 12), "");
	copy[12] = 0;
	printf("%s %d\n", copy, memchr(copy, 'Z', 12) != NULL);
	for (int c = 0; c < 128; c += 9)
		printf("%d%d%d%d%d%c", isalpha(c) != 0, isdigit(c) != 0, isspace(c) != 0, ispunct(c) != 0, isupper(c) != 0, c == 126 ? '\n' : ' ');
	char *end;
	printf("%ld %lu %lld\n", strtol("-123abc", &end, 10), strtoul("0xff", NULL, 0), strtoll("777", NULL, 8));
	errno = 0;
	long big = strtol("99999999999999999999", NULL, 10);
	printf("%s %ld %s\n", end, big, strerror(errno));
	printf("%.17g %.17g %.17g\n", strtod("1e-5", NULL), atof("0x1.8p3"), strtod("-inf", NULL));
	printf("%" PRId64 " %" PRIx32 " %s\n", (int64_t)-5, (uint32_t)0xabcdef, strdup("duplicate"));
	return 0;
}
