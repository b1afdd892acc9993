// Threads that wait without giving way: atomics, and a thread that computes and never waits.
// exit: 0
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

#define THREADS 3
#define TURNS 8

static atomic_int turn, done;
static atomic_long total;
static char order[THREADS * TURNS + 1];
static int at;

static void *takes_turns(void *arg)
{
	int me = (intptr_t)arg;
	for (int i = 0; i < TURNS; i++) {
		while (atomic_load(&turn) != me)
			;
		order[at++] = 'a' + me;
		atomic_store(&turn, (me + 1) % THREADS);
	}
	return NULL;
}

static void *computes(void *arg)
{
	long n = 0;
	while (!atomic_load_explicit(&done, memory_order_relaxed))
		n++;
	atomic_fetch_add(&total, n > 0);
	return arg;
}

static void *compare_and_swap(void *arg)
{
	for (int i = 0; i < 200; i++) {
		long seen = atomic_load(&total);
		while (!atomic_compare_exchange_weak(&total, &seen, seen + 3))
			;
	}
	return arg;
}

static void run(void *(*f)(void *))
{
	pthread_t t[THREADS];
	for (int i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, f, (void *)(intptr_t)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
}

int main(void)
{
	pthread_t busy[2];
	for (int i = 0; i < 2; i++)
		pthread_create(&busy[i], NULL, computes, NULL);
	run(takes_turns);
	puts(order);
	run(compare_and_swap);
	atomic_store(&done, 1);
	for (int i = 0; i < 2; i++)
		pthread_join(busy[i], NULL);
	printf("%ld\n", atomic_load(&total));
	return 0;
}
