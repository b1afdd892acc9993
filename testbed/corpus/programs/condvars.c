// Condition variables: a queue between threads, broadcasts, and timeouts by two clocks.
// exit: 0
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ITEMS 200
#define ROOM 4

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER, emptied = PTHREAD_COND_INITIALIZER;
static int queue[ROOM], held, first;
static FILE *log_file;

static void *produce(void *arg)
{
	for (int i = 0; i < ITEMS; i++) {
		pthread_mutex_lock(&lock);
		while (held == ROOM)
			pthread_cond_wait(&emptied, &lock);
		queue[(first + held++) % ROOM] = i * i;
		pthread_cond_signal(&filled);
		pthread_mutex_unlock(&lock);
	}
	return arg;
}

static void *consume(void *arg)
{
	long sum = 0;
	for (int i = 0; i < ITEMS; i++) {
		pthread_mutex_lock(&lock);
		while (held == 0)
			pthread_cond_wait(&filled, &lock);
		int item = queue[first];
		first = (first + 1) % ROOM;
		held--;
		pthread_cond_signal(&emptied);
		pthread_mutex_unlock(&lock);
		sum += item;
		if (i % 25 == 0)
			fprintf(log_file, "item %d is %d\n", i, item);
	}
	*(long *)arg = sum;
	return NULL;
}

static int go, started, finished;

static void *wait_for_all(void *arg)
{
	pthread_mutex_lock(&lock);
	started++;
	pthread_cond_signal(&emptied);
	while (!go)
		pthread_cond_wait(&filled, &lock);
	finished++;
	pthread_mutex_unlock(&lock);
	return arg;
}

static struct timespec in_ms(clockid_t clock, long ms)
{
	struct timespec t;
	clock_gettime(clock, &t);
	t.tv_nsec += ms * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

static void times_out(clockid_t clock)
{
	pthread_condattr_t attr;
	pthread_cond_t never;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, clock);
	pthread_cond_init(&never, &attr);
	struct timespec until = in_ms(clock, 4), now;
	pthread_mutex_lock(&lock);
	int error;
	while ((error = pthread_cond_timedwait(&never, &lock, &until)) == 0)
		;
	pthread_mutex_unlock(&lock);
	clock_gettime(clock, &now);
	int late = now.tv_sec > until.tv_sec || (now.tv_sec == until.tv_sec && now.tv_nsec >= until.tv_nsec);
	printf("timed out %d, late %d\n", error == ETIMEDOUT, late);
	pthread_cond_destroy(&never);
	pthread_condattr_destroy(&attr);
}

int main(void)
{
	pthread_t producer, consumer, waiters[8];
	long sum;
	log_file = stdout;
	pthread_create(&consumer, NULL, consume, &sum);
	pthread_create(&producer, NULL, produce, NULL);
	pthread_join(producer, NULL);
	pthread_join(consumer, NULL);
	printf("sum %ld\n", sum);

	for (int i = 0; i < 8; i++)
		pthread_create(&waiters[i], NULL, wait_for_all, NULL);
	pthread_mutex_lock(&lock);
	while (started < 8)
		pthread_cond_wait(&emptied, &lock);
	printf("%d wait, %d done\n", started, finished);
	go = 1;
	pthread_cond_broadcast(&filled);
	pthread_mutex_unlock(&lock);
	for (int i = 0; i < 8; i++)
		pthread_join(waiters[i], NULL);
	printf("%d done\n", finished);

	times_out(CLOCK_REALTIME);
	times_out(CLOCK_MONOTONIC);
	return 0;
}
