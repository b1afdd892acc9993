// Mutexes of every type, under contention and with timeouts.
// exit: 0
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, recursive, checking, robust;
static long counter;

static void *count(void *arg)
{
	pthread_mutex_t *m = arg;
	for (int i = 0; i < 300; i++) {
		pthread_mutex_lock(m);
		long seen = counter;
		for (volatile int spin = 0; spin < 20; spin++)
			;
		counter = seen + 1;
		pthread_mutex_unlock(m);
	}
	return NULL;
}

static void contend(const char *name, pthread_mutex_t *m)
{
	pthread_t t[4];
	counter = 0;
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, count, m);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	printf("%s: %ld\n", name, counter);
}

static void *other(void *arg)
{
	pthread_mutex_t *m = arg;
	struct timespec soon;
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_nsec += 3000000;
	if (soon.tv_nsec >= 1000000000)
		soon.tv_sec++, soon.tv_nsec -= 1000000000;
	int busy = pthread_mutex_trylock(m) == EBUSY;
	int late = pthread_mutex_timedlock(m, &soon) == ETIMEDOUT;
	int owner = m == &checking ? pthread_mutex_unlock(m) == EPERM : -1;
	printf("busy %d, timed out %d, not the owner %d\n", busy, late, owner);
	return NULL;
}

static void beside(pthread_mutex_t *m)
{
	pthread_t t;
	pthread_create(&t, NULL, other, m);
	pthread_join(t, NULL);
}

static void *dies_with_it(void *arg)
{
	pthread_mutex_lock(arg);
	return NULL;
}

static void init(pthread_mutex_t *m, int type, int robustness)
{
	pthread_mutexattr_t attr;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, type);
	pthread_mutexattr_setrobust(&attr, robustness);
	pthread_mutex_init(m, &attr);
	pthread_mutexattr_destroy(&attr);
}

int main(void)
{
	init(&recursive, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_STALLED);
	init(&checking, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_STALLED);
	init(&robust, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST);
	contend("normal", &lock);
	contend("recursive", &recursive);
	contend("checking", &checking);
	contend("robust", &robust);

	pthread_mutex_lock(&lock);
	beside(&lock);
	pthread_mutex_unlock(&lock);

	for (int i = 0; i < 3; i++)
		printf("%d ", pthread_mutex_lock(&recursive));
	beside(&recursive);
	for (int i = 0; i < 3; i++)
		printf("%d ", pthread_mutex_unlock(&recursive));
	printf("%d\n", pthread_mutex_unlock(&recursive) == EPERM);

	pthread_mutex_lock(&checking);
	printf("deadlock %d\n", pthread_mutex_lock(&checking) == EDEADLK);
	beside(&checking);
	pthread_mutex_unlock(&checking);

	pthread_t t;
	pthread_create(&t, NULL, dies_with_it, &robust);
	pthread_join(t, NULL);
	printf("owner died %d\n", pthread_mutex_lock(&robust) == EOWNERDEAD);
	printf("%d\n", pthread_mutex_consistent(&robust));
	pthread_mutex_unlock(&robust);
	printf("%d\n", pthread_mutex_lock(&robust));
	pthread_mutex_unlock(&robust);
	return 0;
}
