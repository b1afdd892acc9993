/* A sudoku solver: backtracking with bit sets. */
// exit: 0
#include <stdio.h>

static int cell[81];
static unsigned row[9], column[9], box[9];
static long tried;

static int solve(void)
{
	int best = -1, fewest = 10;
	unsigned free_digits = 0;
	for (int i = 0; i < 81; i++) {
		if (cell[i])
			continue;
		unsigned open = ~(row[i / 9] | column[i % 9] | box[i / 27 * 3 + i % 9 / 3]) & 0x3fe;
		int n = __builtin_popcount(open);
		if (n < fewest)
			fewest = n, best = i, free_digits = open;
	}
	if (best < 0)
		return 1;
	for (unsigned open = free_digits; open; open &= open - 1) {
		unsigned bit = open & -open;
		unsigned *sets[] = {&row[best / 9], &column[best % 9], &box[best / 27 * 3 + best % 9 / 3]};
		tried++;
		cell[best] = __builtin_ctz(bit);
		for (int k = 0; k < 3; k++)
			*sets[k] |= bit;
		if (solve())
			return 1;
		for (int k = 0; k < 3; k++)
			*sets[k] &= ~bit;
	}
	cell[best] = 0;
	return 0;
}

int main(void)
{
	const char *puzzle = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79";
	for (int i = 0; i < 81; i++)
		if (puzzle[i] != '.') {
			unsigned bit = 1u << (cell[i] = puzzle[i] - '0');
			row[i / 9] |= bit, column[i % 9] |= bit, box[i / 27 * 3 + i % 9 / 3] |= bit;
		}
	int solved = solve();
	printf("solved %d after %ld\n", solved, tried);
	for (int i = 0; i < 81; i++)
		printf("%d%c", cell[i], i % 9 == 8 ? '\n' : ' ');
	return 0;
}
