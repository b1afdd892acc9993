/* Static, thread-local and initialised data with pointers among them. */
// exit: 0
#include <stdio.h>

struct node { const char *name; struct node *next; int (*score)(struct node *); };
static int length(struct node *n) { return n ? 1 + length(n->next) : 0; }
static int first(struct node *n) { return n->name[0]; }
static struct node c = {"c", 0, first}, b = {"b", &c, length}, a = {"a", &b, length}, *ring[] = {&a, &b, &c, &a};
static _Thread_local int counter = 5;
static _Thread_local char buffer[40] = "thread";
static _Thread_local struct { int *to; long pad; } link;
static const char *const table[][2] = {{"one", "eins"}, {"two", "zwei"}, {"three", "drei"}};
static double weights[100] = {[10] = 1.5, [99] = -2};
static char *middle = &"abcdef"[3];

static int next_id(void)
{
	static int id = 100;
	static _Thread_local int local = 1;
	local *= 2;
	return id++ * 1000 + local;
}

int main(void)
{
	link.to = &counter;
	for (int i = 0; i < 4; i++) {
		printf("%s %d %d\n", ring[i]->name, ring[i]->score(ring[i]), next_id());
		*link.to += i;
		buffer[i] ^= 32;
	}
	printf("%d %s %s\n", counter, buffer, middle);
	for (int i = 0; i < 3; i++)
		printf("%s=%s ", table[i][0], table[i][1]);
	double sum = 0;
	for (int i = 0; i < 100; i++)
		sum += weights[i] * i;
	printf("%g %d\n", sum, link.to == &counter);
	return 0;
}
