/* Structures that mix integers, floats and pointers, nested and in unions, by value. */
// exit: 0
#include <stdio.h>

struct point { double x, y; };
struct pixel { float r, g, b; };
struct odd { char c; double d; };
struct pair { int i; float f; };
struct wide { long double l; int tag; };
struct line { struct point from, to; const char *name; };
union word { double d; unsigned long u; struct { unsigned lo, hi; } half; };

static struct point add(struct point a, struct point b) { return (struct point){a.x + b.x, a.y + b.y}; }

static struct point chain(struct point p, int n)
{
	return n ? add(chain(add(p, (struct point){n, 1.0 / n}), n - 1), p) : p;
}

static struct pixel blend(struct pixel a, struct pixel b, int n)
{
	struct pixel m = {(a.r + b.r) / 2, (a.g + b.b) / 2, (a.b + b.g) / 2};
	return n ? blend(b, m, n - 1) : m;
}

static struct odd odd(struct odd o, int n)
{
	o.c++;
	o.d *= 1.5;
	return n ? odd(o, n - 1) : o;
}

static struct pair pair(struct pair a, struct pair b, int n)
{
	struct pair c = {a.i + b.i, a.f - b.f / 3};
	return n ? pair(b, c, n - 1) : c;
}

static struct wide wide(struct wide w, int n)
{
	w.l = w.l / 3 + n;
	w.tag ^= n;
	return n ? wide(w, n - 1) : w;
}

static struct line stretch(struct line l, int n)
{
	l.to = add(l.to, l.from);
	l.name = n % 2 ? "odd" : "even";
	return n ? stretch(l, n - 1) : l;
}

static union word swap(union word w, int n)
{
	unsigned t = w.half.lo;
	w.half.lo = w.half.hi;
	w.half.hi = t;
	return n ? swap(w, n - 1) : w;
}

int main(void)
{
	struct point p = chain((struct point){1, 2}, 20);
	struct pixel c = blend((struct pixel){1, 0, 0.25f}, (struct pixel){0, 1, 0.75f}, 12);
	struct odd o = odd((struct odd){'a', 1}, 9);
	struct pair q = pair((struct pair){1, 1}, (struct pair){2, 0.5f}, 10);
	struct wide w = wide((struct wide){1, 0}, 11);
	struct line l = stretch((struct line){{1, 1}, {0, 0}, ""}, 8);
	union word u = swap((union word){.d = 3.14}, 4);
	printf("%.17g %.17g\n%.9g %.9g %.9g\n%c %.17g\n", p.x, p.y, c.r, c.g, c.b, o.c, o.d);
	printf("%d %.9g\n%.30Lg %d\n", q.i, q.f, w.l, w.tag);
	printf("%g %g %g %g %s\n%lx %g\n", l.from.x, l.from.y, l.to.x, l.to.y, l.name, u.u, u.d);
	return 0;
}
