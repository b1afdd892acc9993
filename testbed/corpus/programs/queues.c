/* The lists of sys/queue.h, of each kind: built, changed in the middle, emptied. */
// exit: 0
#include <stdio.h>
#include <stdlib.h>
#include <sys/cdefs.h>
#include <sys/queue.h>
#include <sys/unistd.h>

struct item {
	int value;
	SLIST_ENTRY(item) single;
	LIST_ENTRY(item) list;
	STAILQ_ENTRY(item) tailed;
	SIMPLEQ_ENTRY(item) simple;
	TAILQ_ENTRY(item) both;
	CIRCLEQ_ENTRY(item) ring;
};

SLIST_HEAD(singles, item) singles = SLIST_HEAD_INITIALIZER(singles);
LIST_HEAD(lists, item) lists = LIST_HEAD_INITIALIZER(lists);
STAILQ_HEAD(taileds, item) taileds = STAILQ_HEAD_INITIALIZER(taileds);
SIMPLEQ_HEAD(simples, item) simples = SIMPLEQ_HEAD_INITIALIZER(simples);
TAILQ_HEAD(boths, item) boths = TAILQ_HEAD_INITIALIZER(boths);
CIRCLEQ_HEAD(rings, item) rings = CIRCLEQ_HEAD_INITIALIZER(rings);

__BEGIN_DECLS
static struct item *item(int value) __attribute_malloc__;
__END_DECLS

static struct item *item(int value)
{
	struct item *i = calloc(1, sizeof *i);
	if (!i)
		_exit(1);
	i->value = value;
	return i;
}

static void show(void)
{
	struct item *i;
	printf("single:");
	SLIST_FOREACH(i, &singles, single)
		printf(" %d", i->value);
	printf("\nlist:");
	LIST_FOREACH(i, &lists, list)
		printf(" %d", i->value);
	printf("\ntailed:");
	STAILQ_FOREACH(i, &taileds, tailed)
		printf(" %d", i->value);
	printf("\nsimple:");
	SIMPLEQ_FOREACH(i, &simples, simple)
		printf(" %d", i->value);
	printf("\nboth:");
	TAILQ_FOREACH(i, &boths, both)
		printf(" %d", i->value);
	printf(" and back:");
	TAILQ_FOREACH_REVERSE(i, &boths, boths, both)
		printf(" %d", i->value);
	printf("\nring:");
	CIRCLEQ_FOREACH(i, &rings, ring)
		printf(" %d", i->value);
	printf(" and back:");
	CIRCLEQ_FOREACH_REVERSE(i, &rings, ring)
		printf(" %d", i->value);
	printf("\n");
}

static void insert(struct item *i, struct item *after)
{
	if (after && after->value % 2) {
		SLIST_INSERT_AFTER(after, i, single);
		LIST_INSERT_AFTER(after, i, list);
		STAILQ_INSERT_AFTER(&taileds, after, i, tailed);
		SIMPLEQ_INSERT_AFTER(&simples, after, i, simple);
		TAILQ_INSERT_AFTER(&boths, after, i, both);
		CIRCLEQ_INSERT_AFTER(&rings, after, i, ring);
		return;
	}
	SLIST_INSERT_HEAD(&singles, i, single);
	if (after)
		LIST_INSERT_BEFORE(after, i, list);
	else
		LIST_INSERT_HEAD(&lists, i, list);
	if (i->value % 4 == 0) {
		STAILQ_INSERT_HEAD(&taileds, i, tailed);
		SIMPLEQ_INSERT_HEAD(&simples, i, simple);
		TAILQ_INSERT_HEAD(&boths, i, both);
		CIRCLEQ_INSERT_HEAD(&rings, i, ring);
	} else if (after) {
		STAILQ_INSERT_TAIL(&taileds, i, tailed);
		SIMPLEQ_INSERT_TAIL(&simples, i, simple);
		TAILQ_INSERT_BEFORE(after, i, both);
		CIRCLEQ_INSERT_BEFORE(&rings, after, i, ring);
	} else {
		STAILQ_INSERT_TAIL(&taileds, i, tailed);
		SIMPLEQ_INSERT_TAIL(&simples, i, simple);
		TAILQ_INSERT_TAIL(&boths, i, both);
		CIRCLEQ_INSERT_TAIL(&rings, i, ring);
	}
}

static void drop(struct item *i)
{
	SLIST_REMOVE(&singles, i, item, single);
	LIST_REMOVE(i, list);
	STAILQ_REMOVE(&taileds, i, item, tailed);
	SIMPLEQ_REMOVE(&simples, i, item, simple);
	TAILQ_REMOVE(&boths, i, both);
	CIRCLEQ_REMOVE(&rings, i, ring);
}

int main(void)
{
	struct item *all[12];
	for (int n = 0; n < 12; n++)
		insert(all[n] = item(n), n % 3 ? all[n / 2] : NULL);
	show();
	for (int n = 0; n < 12; n += 5)
		drop(all[n]);
	show();
	drop(TAILQ_LAST(&boths, boths));
	drop(STAILQ_FIRST(&taileds));
	drop(CIRCLEQ_LAST(&rings));
	show();
	struct item *last = CIRCLEQ_LAST(&rings);
	printf("around: %d %d\n", CIRCLEQ_LOOP_NEXT(&rings, last, ring) == CIRCLEQ_FIRST(&rings),
		CIRCLEQ_LOOP_PREV(&rings, CIRCLEQ_FIRST(&rings), ring) == last);

	struct boths more = TAILQ_HEAD_INITIALIZER(more);
	struct taileds rest = STAILQ_HEAD_INITIALIZER(rest);
	struct item *one = item(100), *two = item(101);
	TAILQ_INSERT_TAIL(&more, one, both);
	TAILQ_INSERT_TAIL(&more, two, both);
	TAILQ_CONCAT(&boths, &more, both);
	STAILQ_INSERT_TAIL(&rest, one, tailed);
	STAILQ_INSERT_TAIL(&rest, two, tailed);
	STAILQ_CONCAT(&taileds, &rest);
	show();
	printf("%d %d\n", TAILQ_EMPTY(&more), STAILQ_EMPTY(&rest));
	while (!STAILQ_EMPTY(&taileds))
		STAILQ_REMOVE_HEAD(&taileds, tailed);
	while (!SIMPLEQ_EMPTY(&simples))
		SIMPLEQ_REMOVE_HEAD(&simples, simple);
	while (!SLIST_EMPTY(&singles))
		SLIST_REMOVE_HEAD(&singles, single);
	while (!LIST_EMPTY(&lists))
		LIST_REMOVE(LIST_FIRST(&lists), list);
	while (!TAILQ_EMPTY(&boths))
		TAILQ_REMOVE(&boths, TAILQ_FIRST(&boths), both);
	while (!CIRCLEQ_EMPTY(&rings))
		CIRCLEQ_REMOVE(&rings, CIRCLEQ_FIRST(&rings), ring);
	STAILQ_INSERT_TAIL(&taileds, one, tailed);
	SIMPLEQ_INSERT_TAIL(&simples, one, simple);
	TAILQ_INSERT_TAIL(&boths, two, both);
	show();
	return 0;
}
