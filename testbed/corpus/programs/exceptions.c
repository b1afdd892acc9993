/* An exception library on setjmp, as real programs have: try, throw, finally, rethrow. */
// exit: 0
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

struct handler { jmp_buf env; struct handler *outer; };
static struct handler *handlers;
static int thrown, open_resources;

static _Noreturn void throw(int what)
{
	thrown = what;
	longjmp(handlers->env, what);
}

static int attempt(void (*body)(int), int arg)
{
	struct handler h = {.outer = handlers};
	handlers = &h;
	int r = setjmp(h.env);
	if (r == 0)
		body(arg);
	handlers = h.outer;
	return r;
}

static void parse(int n)
{
	for (int i = 0; i < n; i++)
		printf("%d", i);
	if (n > 3)
		throw(n);
	puts("");
}

static void with_resource(int n)
{
	char *memory = malloc(100);
	open_resources++;
	int r = attempt(parse, n);
	open_resources--;
	free(memory);
	if (r)
		throw(r * 10);
}

static void nest(int n)
{
	int r = n ? attempt(nest, n - 1) : attempt(with_resource, 6);
	if (r && n % 2)
		throw(r + 1);
	printf(" level %d saw %d\n", n, r);
}

int main(void)
{
	for (int i = 0; i < 6; i++)
		printf(" -> %d\n", attempt(with_resource, i));
	printf("%d\n", attempt(nest, 9));
	printf("%d open, last %d\n", open_resources, thrown);
	return open_resources;
}
