/* _Generic, compound literals, designated initialisers, statement expressions, typeof. */
// exit: 0
#include <stdio.h>

#define kind(x) _Generic((x), int: "int", unsigned: "unsigned", long: "long", float: "float", double: "double", \
	char *: "string", const char *: "const string", default: "other")
#define max(a, b) ({ typeof(a) _a = (a); typeof(b) _b = (b); _a > _b ? _a : _b; })

struct config { int width, height; const char *title; struct { double x, y; } origin; int flags[4]; };

static int area(const struct config *c) { return c->width * c->height + c->flags[2]; }

static int loud(int x)
{
	printf("(%d)", x);
	return x;
}

int main(void)
{
	int i = 1;
	printf("%s %s %s %s %s %s\n", kind(i), kind(1u), kind(2L), kind(1.f), kind("s"), kind(&i));
	const struct config *c = &(struct config){.height = 3, .title = "lit", .width = 4, .flags = {[2] = 9}, .origin.y = 2.5};
	printf("%d %s %g\n", area(c), c->title, c->origin.y);
	for (int n = 0; n < 5; n++)
		printf("%d ", max(loud(n * 3 % 5), loud(2)));
	int *grid[3] = {(int[]){1, 2, 3}, (int[]){4, 5, 6}, (int[]){7, 8, 9}};
	int trace = 0;
	for (int n = 0; n < 3; n++)
		trace += loud(grid[n][n]);
	int chosen = loud(0) ?: loud(8);
	printf("\n%d %d %zu\n", trace, chosen, sizeof(struct config));
	_Static_assert(_Alignof(double) == 8, "alignment");
	return 0;
}
