/* Variable-length arrays and alloca, in loops and recursion. */
// exit: 0
#include <alloca.h>
#include <stdio.h>
#include <string.h>

static int triangle(int n, int seed)
{
	int row[n], total = 0;
	for (int i = 0; i < n; i++)
		row[i] = seed + i * i;
	if (n > 1)
		total = triangle(n - 1, row[n - 1]);
	for (int i = 0; i < n; i++)
		total += row[i] % 7;
	return total;
}

static int matrix(int rows, int columns)
{
	double m[rows][columns], t[columns][rows];
	for (int i = 0; i < rows; i++)
		for (int k = 0; k < columns; k++)
			m[i][k] = i * 10 + k;
	for (int i = 0; i < rows; i++)
		for (int k = 0; k < columns; k++)
			t[k][i] = m[i][k] / (1 + k);
	double s = 0;
	for (int k = 0; k < columns; k++)
		for (int i = 0; i < rows; i++)
			s += t[k][i] * (i - k);
	return (int)(s * 1000) + (int)sizeof m;
}

static char *reverse(const char *text, char *out)
{
	size_t n = strlen(text);
	char *copy = alloca(n + 1);
	for (size_t i = 0; i < n; i++)
		copy[i] = text[n - 1 - i];
	copy[n] = 0;
	return strcpy(out, copy);
}

int main(void)
{
	printf("%d\n", triangle(30, 1));
	for (int i = 1; i < 8; i++)
		printf("%d\n", matrix(i, 9 - i));
	char out[64];
	const char *words[] = {"a", "reverse", "all of these words", ""};
	for (int i = 0; i < 4; i++) {
		int sizes[i + 1];
		for (int k = 0; k <= i; k++)
			sizes[k] = (int)strlen(words[k]);
		printf("%s %d\n", reverse(words[i], out), sizes[i]);
	}
	char *list = NULL;
	for (int i = 0; i < 20; i++) { /* alloca outlives the iteration */
		char *node = alloca(sizeof(char *) + 1);
		memcpy(node, &list, sizeof list);
		node[sizeof list] = (char)('a' + i);
		list = node;
		printf("%s", "");
	}
	for (char *p = list; p; memcpy(&p, p, sizeof(char *)))
		putchar(p[sizeof p]);
	putchar('\n');
	return 0;
}
