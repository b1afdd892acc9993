/* Library functions that call back into the program, which moves inside the callback. */
// exit: 0
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int calls;

static int slow_compare(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;
	for (int i = 0; i < 2; i++)
		calls += strlen("x") > 0;
	return (x > y) - (x < y);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void visit(const void *node, VISIT which, int level)
{
	if (which == postorder || which == leaf)
		printf("%*s%d\n", level, "", **(const int *const *)node);
}

int main(void)
{
	int numbers[60];
	unsigned seed = 1;
	for (int i = 0; i < 60; i++)
		numbers[i] = (int)((seed = seed * 1103515245 + 12345) >> 16 & 0xff);
	qsort(numbers, 60, sizeof *numbers, slow_compare);
	for (int i = 0; i < 60; i++)
		printf("%d%c", numbers[i], i % 20 == 19 ? '\n' : ' ');
	for (int want = 0; want < 256; want += 51) {
		int *found = bsearch(&want, numbers, 60, sizeof *numbers, slow_compare);
		printf("%d %s\n", want, found ? "found" : "missing");
	}
	const char *words[] = {"pear", "apple", "fig", "quince", "date", "cherry", "banana"};
	qsort(words, 7, sizeof *words, by_text);
	for (int i = 0; i < 7; i++)
		puts(words[i]);
	void *root = NULL;
	static int keys[] = {5, 2, 8, 1, 9, 3};
	for (int i = 0; i < 6; i++)
		tsearch(&keys[i], &root, slow_compare);
	twalk(root, visit);
	printf("called %d\n", calls > 100); /* how often is the library's affair */
	return 0;
}
