/* Function pointers in tables, structures, parameters and results; identity survives. */
// exit: 0
#include <stdio.h>

typedef long (*op)(long, long);
static long plus(long a, long b) { return a + b; }
static long minus(long a, long b) { return a - b; }
static long times(long a, long b) { return a * b; }
static long power(long a, long b) { return b ? a * power(a, b - 1) : 1; }

static const struct { const char *name; op f; } table[] = {
	{"plus", plus}, {"minus", minus}, {"times", times}, {"power", power},
};

static op choose(int n) { return table[n % 4].f; }

static long fold(op f, const long *v, int n, long start)
{
	for (int i = 0; i < n; i++)
		start = f(start, v[i]);
	return start;
}

struct object {
	const struct methods *methods;
	int value;
};
struct methods {
	int (*get)(struct object *);
	void (*set)(struct object *, int);
};
static int get(struct object *o) { return o->value; }
static int get_double(struct object *o) { return 2 * o->value; }
static void set(struct object *o, int v) { o->value = v; }
static const struct methods plain = {get, set}, doubled = {get_double, set};

int main(void)
{
	long v[] = {3, 1, 4, 1, 5};
	for (int i = 0; i < 4; i++)
		printf("%s %ld\n", table[i].name, fold(choose(i), v, i == 3 ? 3 : 5, 2));
	struct object a = {&plain, 0}, b = {&doubled, 0}, *both[] = {&a, &b};
	for (int i = 0; i < 10; i++) {
		both[i % 2]->methods->set(both[i % 2], i);
		printf("%d ", both[i % 2]->methods->get(both[i % 2]));
	}
	op kept = power;
	printf("\n%d %d\n", kept == choose(3), choose(0) == choose(1));
	return 0;
}
