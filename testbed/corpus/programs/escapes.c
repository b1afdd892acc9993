/* Addresses of locals kept in globals and on the heap, used again after deep calls. */
// exit: 0
#include <stdio.h>
#include <stdlib.h>

struct cell { int *where; struct cell *next; };
static struct cell *cells;
static int **watch;

static void remember(int *p)
{
	struct cell *c = malloc(sizeof *c);
	*c = (struct cell){p, cells};
	cells = c;
}

static void bump(void)
{
	for (struct cell *c = cells; c; c = c->next)
		++*c->where;
}

static int nest(int n)
{
	int mine = n, array[4] = {n, n + 1, n + 2, n + 3}, *p = &array[n % 4];
	remember(&mine);
	remember(p);
	watch = &p;
	int below = n ? nest(n - 1) : 0;
	bump();
	watch = &p;
	**watch += below % 5;
	struct cell *gone = cells;
	cells = cells->next->next;
	free(gone->next);
	free(gone);
	return mine * 3 + array[0] + array[1] + array[2] + array[3] + (*watch == &array[n % 4]);
}

int main(void)
{
	for (int n = 0; n < 24; n += 3)
		printf("%d %d\n", n, nest(n));
	return cells != NULL;
}
