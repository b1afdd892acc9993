/* Conway's life on a torus: two-dimensional arrays by pointer, copied as structures. */
// exit: 0
#include <stdio.h>

enum { H = 16, W = 24 };
struct world { unsigned char at[H][W]; int generation; };

static int neighbours(const struct world *w, int y, int x)
{
	int n = 0;
	for (int dy = -1; dy <= 1; dy++)
		for (int dx = -1; dx <= 1; dx++)
			n += (dy || dx) && w->at[(y + dy + H) % H][(x + dx + W) % W];
	return n;
}

static struct world step(struct world w)
{
	struct world next = {.generation = w.generation + 1};
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++) {
			int n = neighbours(&w, y, x);
			next.at[y][x] = n == 3 || (n == 2 && w.at[y][x]);
		}
	return next;
}

int main(void)
{
	struct world w = {0};
	static const char *glider[] = {" #", "  #", "###"};
	for (int y = 0; y < 3; y++)
		for (int x = 0; glider[y][x]; x++)
			w.at[y + 1][x + 1] = w.at[y + 9][x + 12] = glider[y][x] == '#';
	for (int i = 0; i < 6; i++)
		w.at[7][3 + i] = 1;
	for (int i = 0; i < 12; i++)
		w = step(w);
	for (int y = 0; y < H; y++) {
		for (int x = 0; x < W; x++)
			putchar(w.at[y][x] ? '#' : '.');
		putchar('\n');
	}
	return w.generation - 12;
}
