// How deep recursion is, told by the distance of two local variables, as many programs do that
// refuse to recurse without end. The one that asks never leaves its stack and knows no other.
// exit: 0
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

static _Thread_local char *outermost;

__attribute__((noinline)) static bool is_deep(long bytes)
{
	char here;
	long distance = outermost - &here;
	return (distance < 0 ? -distance : distance) > bytes;
}

__attribute__((noinline)) static bool is_below(const char *caller)
{
	char here;
	return (uintptr_t)&here < (uintptr_t)caller;
}

static int down(int depth)
{
	volatile char frame[200];
	frame[depth % 200] = (char)depth;
	if (is_deep(40000))
		return depth;
	int deepest = down(depth + 1);
	return frame[depth % 200] == (char)depth ? deepest : -1;
}

static void *measure(void *name)
{
	char here;
	outermost = &here;
	int depth = down(0);
	// Frames have 200 bytes and some more.
	printf("%s: %s\n", (char *)name, depth > 50 && depth <= 200 ? "as deep as it should be" : "too early or too late");
	printf("%s: a callee's variables are %s\n", (char *)name, is_below(&here) ? "below" : "above");
	return NULL;
}

int main(void)
{
	measure("main");
	pthread_t t;
	pthread_create(&t, NULL, measure, "thread");
	pthread_join(t, NULL);
}
