// Plain char has a sign, whatever the ISA: programs that read a byte into one and compare it with
// EOF, or a table of small negative numbers, are written for that.
// stdin: ab\xff\x80
// exit: 0
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

static const char steps[] = {1, -1, 17, -17};

int main(void)
{
	printf("from %d to %d\n", CHAR_MIN, CHAR_MAX);
	int place = 100;
	for (unsigned i = 0; i < sizeof steps; i++)
		printf("%d ", place += steps[i]);
	puts("");
	// libc has the same char: in the C locale it says by CHAR_MAX that there is no such number.
	printf("%d\n", localeconv()->frac_digits == CHAR_MAX);
	char bytes[16];
	size_t n = fread(bytes, 1, sizeof bytes, stdin);
	for (size_t i = 0; i < n; i++)
		printf("%d%s", bytes[i], bytes[i] < 0 ? " is negative\n" : "\n");
	// Strings compare as unsigned bytes all the same.
	printf("%d %d\n", strcmp("\x80", "a") > 0, memcmp("\x80", "a", 1) > 0);
	char c = (char)getchar();
	puts(c == EOF ? "the end" : "more");
}
