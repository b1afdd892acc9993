/* Generic containers: a priority queue of structures with a comparator and a context. */
// exit: 0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct queue { char *items; size_t n, room, size; int (*less)(const void *, const void *, void *); void *context; };
struct job { int priority; char name[12]; double cost; };

static char *item(struct queue *q, size_t i) { return q->items + i * q->size; }

static void exchange(struct queue *q, size_t a, size_t b)
{
	char t[64];
	memcpy(t, item(q, a), q->size);
	memcpy(item(q, a), item(q, b), q->size);
	memcpy(item(q, b), t, q->size);
}

static void push(struct queue *q, const void *x)
{
	if (q->n == q->room)
		q->items = realloc(q->items, (q->room = q->room * 2 + 4) * q->size);
	memcpy(item(q, q->n++), x, q->size);
	for (size_t i = q->n - 1; i && q->less(item(q, i), item(q, (i - 1) / 2), q->context); i = (i - 1) / 2)
		exchange(q, i, (i - 1) / 2);
}

static int pop(struct queue *q, void *x)
{
	if (!q->n)
		return 0;
	memcpy(x, q->items, q->size);
	memcpy(q->items, item(q, --q->n), q->size);
	for (size_t i = 0;;) {
		size_t least = i;
		for (size_t c = 2 * i + 1; c <= 2 * i + 2 && c < q->n; c++)
			if (q->less(item(q, c), item(q, least), q->context))
				least = c;
		if (least == i)
			return 1;
		exchange(q, i, least);
		i = least;
	}
}

static int before(const void *a, const void *b, void *context)
{
	const struct job *x = a, *y = b;
	++*(int *)context;
	return x->priority != y->priority ? x->priority < y->priority : strcmp(x->name, y->name) < 0;
}

int main(void)
{
	int comparisons = 0;
	struct queue q = {.size = sizeof(struct job), .less = before, .context = &comparisons};
	struct job j;
	for (int i = 0; i < 40; i++) {
		j = (struct job){i * 17 % 11, "", i / 3.0};
		snprintf(j.name, sizeof j.name, "job%d", i);
		push(&q, &j);
	}
	double cost = 0;
	while (pop(&q, &j)) {
		cost = cost / 2 + j.cost;
		printf("%d:%s ", j.priority, j.name);
	}
	printf("\n%d comparisons, %a\n", comparisons, cost);
	free(q.items);
	return 0;
}
