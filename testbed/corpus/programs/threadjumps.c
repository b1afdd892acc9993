// Jumps, deep recursion and arrays on the stack, in several threads at once; a thread's own clock,
// name and stack.
// exit: 0
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define THREADS 4

static pthread_barrier_t barrier;

static unsigned sum_down(jmp_buf out, int n, const unsigned char *above, int size)
{
	unsigned char row[size];
	for (int i = 0; i < size; i++)
		row[i] = above ? above[i % (size - 1)] + n : i;
	if (n == 0)
		longjmp(out, row[size / 2] + 1);
	if (n % 8 == 0)
		sched_yield();
	if (n > 0)
		n = sum_down(out, n - 1, row, size + 1);
	return n + row[0];
}

static _Thread_local sigjmp_buf env;
static _Thread_local volatile int jumped;

static void jump(int sig)
{
	(void)sig;
	jumped++;
	siglongjmp(env, 1);
}

static void *work(void *arg)
{
	int me = (intptr_t)arg;
	jmp_buf out;
	volatile unsigned total = 0;
	volatile int rounds = 0;
	pthread_barrier_wait(&barrier);
	unsigned value = setjmp(out);
	total = total * 31 + value;
	if (rounds++ < 5)
		total += sum_down(out, 12 + me + rounds, NULL, 3 + me);

	sigsetjmp(env, 1);
	if (jumped < 3)
		pthread_kill(pthread_self(), SIGUSR1);

	char name[16], want[16];
	snprintf(want, sizeof want, "worker %d", me);
	pthread_setname_np(pthread_self(), want);
	sched_yield();
	pthread_getname_np(pthread_self(), name, sizeof name);

	struct timespec spent, all;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &all);
	int mine = spent.tv_sec < all.tv_sec || (spent.tv_sec == all.tv_sec && spent.tv_nsec <= all.tv_nsec);

	pthread_attr_t attr;
	void *stack;
	size_t size;
	pthread_getattr_np(pthread_self(), &attr);
	pthread_attr_getstack(&attr, &stack, &size);
	int local, *volatile p = &local;
	int inside = (char *)p >= (char *)stack && (char *)p < (char *)stack + size;

	char *result;
	if (asprintf(&result, "%u, %d rounds, %d jumps, %s, %d %d", total, rounds, jumped, name, mine, inside) < 0)
		abort();
	return result;
}

int main(void)
{
	pthread_t t[THREADS];
	char *result;
	signal(SIGUSR1, jump);
	pthread_barrier_init(&barrier, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, work, (void *)(intptr_t)i);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(t[i], (void **)&result);
		puts(result);
		free(result);
	}
	return 0;
}
