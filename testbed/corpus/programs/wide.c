/* Wide and multibyte characters. */
// exit: 0
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#include <wctype.h>

static int count(const wchar_t *w) { return *w ? 1 + count(w + 1) : 0; }

int main(void)
{
	setlocale(LC_ALL, "C.UTF-8");
	const char *text = "gr\xc3\xbc\xc3\xa9 dich, \xe4\xb8\x96\xe7\x95\x8c \xf0\x9f\x8c\x8d";
	wchar_t wide[64], upper[64];
	size_t n = mbstowcs(wide, text, 64);
	printf("%zu %d\n", n, count(wide));
	for (size_t i = 0; i <= n; i++) {
		upper[i] = towupper(wide[i]);
		printf("%x ", (unsigned)wide[i]);
	}
	char back[128];
	printf("\n%zu ", wcstombs(back, upper, sizeof back));
	printf("%s\n", back);
	printf("%d %ls %ld\n", wcscmp(L"abc", L"abd") < 0, wcschr(wide, L'd'), wcstol(L"123", NULL, 10));
	swprintf(wide, 64, L"%ls-%d", L"number", 7);
	printf("%ls\n", wide);
	return 0;
}
