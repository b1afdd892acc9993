/* Searching and copying strings of each length at each place in a block: libc takes 32 bytes at
   once, and reads what is behind the end. */
// exit: 0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLACES = 34, LENGTHS = 100, AROUND = 32 };

static unsigned char text[AROUND + PLACES + LENGTHS + AROUND] __attribute__((aligned(64)));
static unsigned char copy[sizeof text];
static unsigned long checks, wrong;

static void check(int right, const char *what, int place, unsigned length)
{
	checks++;
	if (!right && wrong++ < 20)
		printf("%s: wrong at %d of %u\n", what, place, length);
}

static size_t end_of(const unsigned char *s)
{
	size_t n = 0;
	while (s[n])
		n++;
	return n;
}

/* Bytes that look like zero but for a borrow or a high bit are among them. */
static unsigned char byte(unsigned *seed)
{
	static const unsigned char hard[] = {1, 0x7f, 0x80, 0x81, 0xfe, 0xff, 'a', '0'};
	*seed = *seed * 1664525 + 1013904223;
	return hard[*seed >> 29];
}

static void search(const unsigned char *s, int place, unsigned length, int c)
{
	const unsigned char *want = NULL;
	for (unsigned i = 0; i < length && !want; i++)
		if (s[i] == c)
			want = s + i;
	check(memchr(s, c, length) == want, "memchr", place, length);
	if (want)
		check(memchr(s, c, length + AROUND) == want, "memchr of more", place, length);
	if (c == 0)
		want = s + length;
	check((unsigned char *)strchr((const char *)s, c) == want, "strchr", place, length);
}

int main(void)
{
	unsigned seed = 1;
	for (int place = 0; place < PLACES; place++)
		for (int length = 0; length < LENGTHS; length++) {
			for (size_t i = 0; i < sizeof text; i++)
				text[i] = byte(&seed);
			unsigned char *s = text + AROUND + place;
			s[length] = 0;
			/* A zero before it is not its end. */
			s[-1] = 0;
			check(strlen((char *)s) == end_of(s), "strlen", place, length);
			check(strnlen((char *)s, length / 2) == (size_t)length / 2, "strnlen", place, length);
			for (int c = 0; c < 3; c++)
				search(s, place, length, (int[]){0, 0x80, 0xff}[c]);
			if (length) {
				s[length - 1] = 'x';
				search(s, place, length, 'x');
			}
			int to = AROUND + (place * 7 + length) % PLACES;
			memset(copy, 0xaa, sizeof copy);
			strcpy((char *)copy + to, (char *)s);
			check(memcmp(copy + to, s, length + 1) == 0, "strcpy", place, length);
			check(copy[to - 1] == 0xaa && copy[to + length + 1] == 0xaa, "strcpy around", place, length);
			check(stpcpy((char *)copy, (char *)s) == (char *)copy + length, "stpcpy", place, length);
		}
	printf("%lu checks, %lu wrong\n", checks, wrong);
	return wrong != 0;
}
