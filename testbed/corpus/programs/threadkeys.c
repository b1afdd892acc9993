// Thread-specific data with destructors, thread-local variables, and C11's names for all of it.
// exit: 0
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <threads.h>

static pthread_key_t key, again;
static tss_t c11_key;
static mtx_t lock;
static cnd_t changed;
static once_flag flag = ONCE_FLAG_INIT;
static int destroyed, rounds, c11_destroyed, onces, stage;

static _Thread_local struct {
	char pad[3];
	double value;
	int *self;
} local = {"ab", 1.5, NULL};
static thread_local long zeroed[20];

static void destroy(void *p)
{
	__atomic_add_fetch(&destroyed, (intptr_t)p, __ATOMIC_SEQ_CST);
}

// Sets a value anew, which calls it again.
static void destroy_again(void *p)
{
	__atomic_add_fetch(&rounds, 1, __ATOMIC_SEQ_CST);
	if ((intptr_t)p > 1)
		pthread_setspecific(again, (void *)((intptr_t)p - 1));
}

static void c11_destroy(void *p)
{
	mtx_lock(&lock);
	c11_destroyed += *(int *)p;
	mtx_unlock(&lock);
	free(p);
}

static void *use_keys(void *arg)
{
	intptr_t n = (intptr_t)arg;
	pthread_setspecific(key, arg);
	pthread_setspecific(again, (void *)2);
	local.value += n;
	local.self = (int *)&local;
	for (int i = 0; i < 20; i++)
		zeroed[i] += n * i;
	long sum = 0;
	for (int i = 0; i < 20; i++)
		sum += zeroed[i];
	if (local.self != (int *)&local || pthread_getspecific(key) != arg)
		abort();
	return (void *)(intptr_t)(sum + (long)(local.value * 2) + local.pad[1]);
}

static void set_once(void)
{
	onces++;
}

static int c11_thread(void *arg)
{
	int *copy = malloc(sizeof *copy);
	*copy = *(int *)arg;
	tss_set(c11_key, copy);
	call_once(&flag, set_once);
	mtx_lock(&lock);
	while (stage != *copy)
		cnd_wait(&changed, &lock);
	stage++;
	cnd_broadcast(&changed);
	mtx_unlock(&lock);
	if (*(int *)tss_get(c11_key) != *copy)
		abort();
	thrd_yield();
	if (*copy == 3)
		thrd_exit(33);
	return *copy * 10;
}

int main(void)
{
	pthread_t t[5];
	void *result;
	pthread_key_create(&key, destroy);
	pthread_key_create(&again, destroy_again);
	for (intptr_t i = 0; i < 5; i++)
		pthread_create(&t[i], NULL, use_keys, (void *)(i + 1));
	for (int i = 0; i < 5; i++) {
		pthread_join(t[i], &result);
		printf("%ld ", (long)(intptr_t)result);
	}
	printf("\ndestroyed %d, rounds %d\n", destroyed, rounds);
	printf("main: %g %s %ld\n", local.value, local.pad, zeroed[19]);
	pthread_key_delete(key);

	thrd_t c[4];
	int numbers[4] = {3, 1, 0, 2}, code;
	mtx_init(&lock, mtx_plain);
	cnd_init(&changed);
	tss_create(&c11_key, c11_destroy);
	for (int i = 0; i < 4; i++)
		if (thrd_create(&c[i], c11_thread, &numbers[i]) != thrd_success)
			return 1;
	for (int i = 0; i < 4; i++) {
		thrd_join(c[i], &code);
		printf("%d ", code);
	}
	printf("once %d, destroyed %d\n", onces, c11_destroyed);
	struct timespec now;
	timespec_get(&now, TIME_UTC);
	mtx_lock(&lock);
	printf("%d\n", cnd_timedwait(&changed, &lock, &now) == thrd_timedout);
	mtx_unlock(&lock);
	thrd_sleep(&(struct timespec){.tv_nsec = 1000}, NULL);
	return 0;
}
