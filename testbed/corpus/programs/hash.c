/* An open-addressing hash table of strings that grows, and word counts. */
// exit: 0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry { char *key; int count; };
struct table { struct entry *slots; size_t size, used; };

static unsigned long hash(const char *s)
{
	unsigned long h = 1469598103934665603UL;
	while (*s)
		h = (h ^ (unsigned char)*s++) * 1099511628211UL;
	return h;
}

static struct entry *find(struct table *t, const char *key)
{
	size_t i = hash(key) & (t->size - 1);
	while (t->slots[i].key && strcmp(t->slots[i].key, key))
		i = (i + 1) & (t->size - 1);
	return &t->slots[i];
}

static void grow(struct table *t)
{
	struct table bigger = {calloc(t->size * 2, sizeof *t->slots), t->size * 2, t->used};
	for (size_t i = 0; i < t->size; i++)
		if (t->slots[i].key)
			*find(&bigger, t->slots[i].key) = t->slots[i];
	free(t->slots);
	*t = bigger;
}

static void count(struct table *t, const char *key)
{
	if (t->used * 3 > t->size * 2)
		grow(t);
	struct entry *e = find(t, key);
	if (!e->key) {
		e->key = strdup(key);
		t->used++;
	}
	e->count++;
}

static int order(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	return x->count != y->count ? y->count - x->count : strcmp(x->key ? x->key : "", y->key ? y->key : "");
}

int main(void)
{
	struct table t = {calloc(8, sizeof *t.slots), 8, 0};
	unsigned seed = 3;
	for (int i = 0; i < 800; i++) {
		char key[8];
		seed = seed * 1103515245 + 12345;
		unsigned r = seed >> 16;
		snprintf(key, sizeof key, "w%u", (r % 97) * (r % 89) % 150);
		count(&t, key);
	}
	qsort(t.slots, t.size, sizeof *t.slots, order);
	printf("%zu words in %zu slots\n", t.used, t.size);
	for (int i = 0; i < 10; i++)
		printf("%s %d\n", t.slots[i].key, t.slots[i].count);
	return 0;
}
