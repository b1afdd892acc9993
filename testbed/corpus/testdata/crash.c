/* Crashes in a function that is inlined twice, in one that has been left and come back. What has called that
   is inlined too. */
#include <stdio.h>

static int *volatile nowhere;
static volatile int ticks;

static __attribute__((noinline)) void tick(int n)
{
	for (int i = 0; i < n; i++)
		ticks += i & 1;
	if (n > 1)
		tick(n / 2);
}

static inline __attribute__((always_inline)) void innermost(int n)
{
	*nowhere = n; // crash
}

static inline __attribute__((always_inline)) void middle(int n)
{
	innermost(n + 1); // in middle
}

static __attribute__((noinline)) int outer(int n)
{
	for (int i = 0; i < n; i++)
		tick(8);
	middle(n); // in outer
	return ticks;
}

/* Most calls return early, so that the compiler makes two functions of it. */
static __attribute__((noinline)) int cut(int n)
{
	if (n == 1 || n == 4 || n == 9 || n == 16)
		return n;
	return outer(n) + 1; // in cut
}

static inline __attribute__((always_inline)) int between(int n)
{
	return cut(n) + 1; // in between
}

int main(void)
{
	puts("going to crash");
	int n = between(200 + ticks); // in main
	printf("still here: %d\n", n);
	return 0;
}
