/* A self-balancing tree on the heap, built, searched and taken down recursively. */
// exit: 0
#include <stdio.h>
#include <stdlib.h>

struct tree { struct tree *left, *right, *parent; int key; unsigned priority; };
static unsigned seed = 99;

static void adopt(struct tree *t)
{
	if (t->left)
		t->left->parent = t;
	if (t->right)
		t->right->parent = t;
}

static struct tree *insert(struct tree *t, int key)
{
	if (!t) {
		t = calloc(1, sizeof *t);
		t->key = key;
		t->priority = seed = seed * 1103515245 + 12345;
		return t;
	}
	struct tree **side = key < t->key ? &t->left : &t->right;
	*side = insert(*side, key);
	adopt(t);
	if ((*side)->priority > t->priority) {
		struct tree *up = *side;
		if (up == t->left)
			t->left = up->right, up->right = t;
		else
			t->right = up->left, up->left = t;
		adopt(t);
		adopt(up);
		up->parent = NULL;
		return up;
	}
	return t;
}

static int height(const struct tree *t)
{
	int l = t ? height(t->left) : 0, r = t ? height(t->right) : 0;
	return t ? 1 + (l > r ? l : r) : 0;
}

static void walk(const struct tree *t, void (*f)(const struct tree *, void *), void *arg)
{
	if (!t)
		return;
	walk(t->left, f, arg);
	f(t, arg);
	walk(t->right, f, arg);
}

static void sum(const struct tree *t, void *arg)
{
	long *s = arg;
	*s = *s * 31 % 1000003 + t->key + (t->parent ? t->parent->key : -1);
}

static void release(struct tree *t)
{
	if (t) {
		release(t->left);
		release(t->right);
		free(t);
	}
}

int main(void)
{
	struct tree *t = NULL;
	for (int i = 0; i < 120; i++)
		t = insert(t, i * 7919 % 1009);
	long s = 0;
	walk(t, sum, &s);
	printf("height %d sum %ld root %d\n", height(t), s, t->key);
	release(t);
	return 0;
}
