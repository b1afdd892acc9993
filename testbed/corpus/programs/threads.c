// Threads: created, joined, detached, with attributes, and what they return.
// exit: 0
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS 6

static _Thread_local int local = 7;
static _Thread_local char text[16] = "fresh";
static sem_t gone;

// Recursion with an array that others see: it lies on the thread's own stack.
static unsigned depth(int n, unsigned *above)
{
	unsigned here[8];
	for (int i = 0; i < 8; i++)
		here[i] = n * 31 + i + (above ? above[i] : 0);
	return n == 0 ? here[3] : depth(n - 1, here) + here[n % 8];
}

static void *work(void *arg)
{
	int n = (intptr_t)arg;
	local += n;
	snprintf(text + 5, sizeof text - 5, "%d", n);
	unsigned sum = depth(20 + n, NULL);
	char *copy = strdup(text);
	for (int i = 0; i < 50; i++) {
		char *more = malloc(40 + i);
		memset(more, n, 40 + i);
		sum += more[i];
		free(more);
	}
	sum += local;
	printf("%s", ""); // takes the lock of stdout
	char *result;
	if (asprintf(&result, "%s: %u, %d", copy, sum, local) < 0)
		abort();
	free(copy);
	return result;
}

static void *exits_early(void *arg)
{
	if (arg)
		pthread_exit(arg);
	return NULL;
}

static void *detached(void *arg)
{
	*(int *)arg = local;
	sem_post(&gone);
	return NULL;
}

int main(void)
{
	pthread_t t[THREADS];
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, work, (void *)(intptr_t)i))
			return 1;
	for (int i = 0; i < THREADS; i++) {
		void *result;
		pthread_join(t[i], &result);
		puts(result);
		free(result);
	}
	printf("main: %d, %s\n", local, text);

	pthread_t early;
	void *result;
	pthread_create(&early, NULL, exits_early, "early");
	pthread_join(early, &result);
	printf("%s\n", (char *)result);

	int seen[3] = {0};
	sem_init(&gone, 0, 0);
	for (int i = 0; i < 2; i++)
		if (!pthread_create(&early, NULL, detached, &seen[i]))
			pthread_detach(early);
	pthread_attr_t attr;
	size_t size;
	int state;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 1 << 18);
	pthread_attr_getstacksize(&attr, &size);
	pthread_attr_getdetachstate(&attr, &state);
	printf("stack %zu, detached %d\n", size, state == PTHREAD_CREATE_DETACHED);
	pthread_create(&early, &attr, detached, &seen[2]);
	pthread_attr_destroy(&attr);
	for (int i = 0; i < 3; i++)
		sem_wait(&gone);
	printf("%d %d %d\n", seen[0], seen[1], seen[2]);

	// One after the other, many times: what a thread leaves behind is used again.
	unsigned total = 0;
	for (int i = 0; i < 60; i++) {
		pthread_create(&early, NULL, work, (void *)1);
		pthread_join(early, &result);
		total += strlen(result);
		free(result);
	}
	printf("%u\n", total);
	printf("%d\n", pthread_equal(pthread_self(), pthread_self()) != 0);
	return 0;
}
