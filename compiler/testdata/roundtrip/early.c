#include "roundtrip.h"

/* Functions that mostly return before their migration point: compiler/early.cpp cuts them in two. */

typedef unsigned char byte;

__attribute__((noinline)) static int greater(unsigned a, unsigned b, const byte *text, const short *rank,
                                             unsigned size, int *budget)
{
	for (int n = 0; n < 4; n++, a++, b++)
		if (text[a] != text[b])
			return text[a] > text[b];
	for (int left = (int)size; left >= 0; left -= 2) {
		for (int n = 0; n < 2; n++, a++, b++) {
			if (text[a] != text[b])
				return text[a] > text[b];
			if (rank[a] != rank[b])
				return rank[a] > rank[b];
		}
		a = a >= size ? a - size : a;
		b = b >= size ? b - size : b;
		--*budget;
		POINT();
	}
	return 0;
}

/* The rest takes numbers of other kinds, and one computed on the way. */
__attribute__((noinline)) static float mixed(byte kind, double x, float y, short n, byte *seen)
{
	double scaled = x * 3;
	if (kind == 1)
		return y;
	if (kind == 2)
		return (float)scaled;
	if (kind == 3)
		return y + (float)scaled;
	for (short i = 0; i < n; i++) {
		POINT();
		seen[i & 7] += kind;
		scaled += y;
	}
	return (float)scaled + seen[3];
}

/* One that calls itself, and gives no result. */
__attribute__((noinline)) static void visit(long *tree, int at, int size, long *sum)
{
	if (at >= size)
		return;
	if (tree[at] == 7)
		return;
	if (tree[at] == 9)
		return;
	POINT();
	visit(tree, 2 * at + 1, size, sum);
	*sum = *sum * 31 + tree[at];
	visit(tree, 2 * at + 2, size, sum);
}

int program(void)
{
	static byte text[96];
	static short rank[96];
	for (int i = 0; i < 96; i++) {
		text[i] = i % 8 == 7 && i > 40 ? i / 8 : i % 4;
		rank[i] = i / 13;
	}
	int budget = 1000, more = 0;
	for (unsigned a = 0; a < 40; a++)
		for (unsigned b = 0; b < 40; b += 3)
			more = more * 3 + greater(a, b, text, rank, 40, &budget);
	out(more);
	out(budget);

	byte seen[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	for (int kind = 1; kind < 6; kind++)
		out_double(mixed(kind, 0.75 * kind, 2.5f, 9, seen));

	long tree[63], sum = 0;
	for (int i = 0; i < 63; i++)
		tree[i] = i * 5 % 11;
	visit(tree, 0, 63, &sum);
	out(sum);
	return more & 63;
}
