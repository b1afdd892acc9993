// Cancellation: where a thread waits, where it asks, at once, and not at all.
// exit: 0
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static sem_t ready;
static volatile int spins;
static atomic_bool is_cancelled; /* the thread that must not notice */

static void cleanup(void *what)
{
	printf("cleanup of %s\n", (char *)what);
}

static void unlock(void *m)
{
	printf("unlock %d\n", pthread_mutex_unlock(m));
}

static void *in_wait(void *arg)
{
	pthread_cleanup_push(cleanup, "outer");
	pthread_mutex_lock(&lock);
	pthread_cleanup_push(unlock, &lock);
	sem_post(&ready);
	for (;;)
		pthread_cond_wait(&never, &lock);
	pthread_cleanup_pop(1);
	pthread_cleanup_pop(1);
	return arg;
}

static void *in_sleep(void *arg)
{
	pthread_cleanup_push(cleanup, "sleep");
	sem_post(&ready);
	for (;;)
		sleep(1000);
	pthread_cleanup_pop(0);
	return arg;
}

static void *in_sem(void *arg)
{
	sem_t none;
	sem_init(&none, 0, 0);
	pthread_cleanup_push(cleanup, "semaphore");
	sem_post(&ready);
	sem_wait(&none);
	pthread_cleanup_pop(0);
	return arg;
}

static void *asks(void *arg)
{
	pthread_cleanup_push(cleanup, "test");
	sem_post(&ready);
	for (;;) {
		spins++;
		pthread_testcancel();
	}
	pthread_cleanup_pop(0);
	return arg;
}

static void *at_once(void *arg)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	sem_post(&ready);
	for (;;)
		spins++;
	return arg;
}

static void *not_at_all(void *arg)
{
	int old;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
	sem_post(&ready);
	do {
		struct timespec t = {0, 1000000};
		while (nanosleep(&t, &t) && errno == EINTR)
			;
	} while (!is_cancelled);
	printf("not cancelled, was %d\n", old == PTHREAD_CANCEL_ENABLE);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	pthread_cleanup_push(cleanup, "enabled");
	pthread_testcancel();
	pthread_cleanup_pop(0);
	printf("not reached\n");
	return arg;
}

static void *itself(void *arg)
{
	pthread_cancel(pthread_self());
	pthread_testcancel();
	return arg;
}

static void *joins(void *arg)
{
	pthread_t *t = arg;
	pthread_cleanup_push(cleanup, "join");
	sem_post(&ready);
	pthread_join(*t, NULL);
	pthread_cleanup_pop(0);
	return NULL;
}

static void run(const char *name, void *(*f)(void *), void *arg)
{
	pthread_t t;
	void *result;
	pthread_create(&t, NULL, f, arg);
	if (f != itself) {
		sem_wait(&ready);
		pthread_cancel(t);
		is_cancelled = f == not_at_all;
	}
	pthread_join(t, &result);
	printf("%s: %s\n", name, result == PTHREAD_CANCELED ? "cancelled" : "returned");
}

int main(void)
{
	pthread_t sleeper;
	sem_init(&ready, 0, 0);
	run("wait", in_wait, NULL);
	run("sleep", in_sleep, NULL);
	run("semaphore", in_sem, NULL);
	run("test", asks, NULL);
	run("asynchronous", at_once, NULL);
	run("disabled", not_at_all, NULL);
	run("itself", itself, NULL);
	pthread_create(&sleeper, NULL, in_sleep, NULL);
	sem_wait(&ready);
	run("join", joins, &sleeper);
	pthread_cancel(sleeper);
	pthread_join(sleeper, NULL);
	return 0;
}
