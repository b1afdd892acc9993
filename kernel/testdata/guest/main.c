/* What guest_test.go has a whole guest do, by the name of the case. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void say(const char *s)
{
	puts(s);
	fflush(stdout);
}

static int sleeper(void)
{
	struct timespec start, end;
	clock_gettime(CLOCK_MONOTONIC, &start);
	say("asleep");
	sleep(1800);
	clock_gettime(CLOCK_MONOTONIC, &end);
	say(end.tv_sec - start.tv_sec >= 1799 ? "slept" : "woke early");
	return 0;
}

static int reader(void)
{
	char line[100];
	say("waiting");
	while (fgets(line, sizeof line, stdin)) {
		printf("got %s", line);
		fflush(stdout);
	}
	return 4;
}

static volatile sig_atomic_t caught;

static void catch(int sig)
{
	caught = sig;
}

static int handler(void)
{
	signal(SIGTERM, catch);
	say("ready");
	while (!caught)
		sleep(1000);
	printf("signal %d\n", caught);
	return 7;
}

static int worker(void)
{
	unsigned long x = 1, sum = 0;
	say("working");
	for (long i = 0; i < 400000000; i++) {
		x = x * 6364136223846793005 + 1442695040888963407;
		sum += x >> 40;
	}
	printf("%lu\n", sum);
	return 0;
}

static int recurse(int n)
{
	return n == -1 ? 0 : recurse(n + 1) * 3 + 1;
}

static int unsupported(void)
{
	char *none[] = {NULL};
	for (int i = 0; i < 3; i++)
		if (fork() != -1 || errno != ENOSYS)
			return 1;
	for (int i = 0; i < 3; i++)
		if (execve("/bin/true", none, none) != -1 || errno != ENOSYS)
			return 2;
	if (system(NULL) != 0 || system("true") != -1 || errno != ENOSYS)
		return 3;
	return 0;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t started;
static volatile int stop;

static void *reads(void *arg)
{
	char line[100];
	pthread_barrier_wait(&started);
	return fgets(line, sizeof line, stdin) ? strdup(line) : arg;
}

static void *sleeps(void *arg)
{
	pthread_barrier_wait(&started);
	return sleep(1800) ? "woken" : arg;
}

static void *waits(void *arg)
{
	pthread_mutex_lock(&lock);
	pthread_barrier_wait(&started);
	while (!stop)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	return arg;
}

static void *computes(void *arg)
{
	char *text = NULL;
	pthread_barrier_wait(&started);
	for (unsigned i = 0; !stop; i++) {
		free(text);
		text = malloc(32 + i % 100);
		snprintf(text, 32, "%u", i);
	}
	free(text);
	return arg;
}

/* Crashes in a function that has waited, by way of others. */
static int waits_and_falls(int n)
{
	say("waiting");
	sleep(1800);
	*(volatile int *)0 = n;
	return n;
}

__attribute__((noinline)) static int goes_down(int n)
{
	volatile int more = n - 1;
	return n == 0 ? waits_and_falls(n) + 1 : goes_down(more) + more;
}

__attribute__((noinline)) static int goes(void)
{
	return goes_down(3) * 2;
}

/* Threads in every state, until a line comes. */
static int crowd(void)
{
	void *(*const does[])(void *) = {sleeps, waits, computes, computes, reads};
	static char *const names[] = {"slept", "waited", "computed", "computed too", "nothing read"};
	pthread_t t[5];
	void *result;
	setvbuf(stdout, NULL, _IOLBF, 0);
	pthread_barrier_init(&started, NULL, 6);
	for (int i = 0; i < 5; i++)
		if (pthread_create(&t[i], NULL, does[i], names[i]))
			return 1;
	pthread_barrier_wait(&started);
	say("all there");
	pthread_join(t[4], &result);
	printf("read %s", (char *)result);
	pthread_mutex_lock(&lock);
	stop = 1;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	for (int i = 3; i >= 0; i--) {
		pthread_join(t[i], &result);
		printf("%s\n", (char *)result);
	}
	return 0;
}

/* A thread that computes and one that wants to: neither gives way. */
static void *take_turn(void *arg)
{
	int me = *(int *)arg;
	for (int i = 0; i < 5; i++) {
		while (stop % 2 != me)
			;
		stop++;
	}
	return NULL;
}

static int slices(void)
{
	pthread_t t;
	int one = 1, zero = 0;
	pthread_create(&t, NULL, take_turn, &one);
	take_turn(&zero);
	pthread_join(t, NULL);
	printf("%d turns\n", stop);
	return 0;
}

static void *recurses(void *arg)
{
	return (void *)(long)recurse((int)(long)arg);
}

static void *overflows(void *arg)
{
	volatile char big[1 << 16];
	big[0] = 1;
	for (int i = 0; i < 1000; i++)
		big[i] = big[0] + i;
	sched_yield();
	overflows((void *)big);
	return arg;
}

/* They come back from where they have no stack, and never rest there. */
static long tower(long height)
{
	volatile char floor[512];
	for (int i = 0; i < 512; i += 64)
		floor[i] = height;
	long below = height ? tower(height - 1) : 0;
	return below + floor[64];
}

static void *towers(void *arg)
{
	printf("a tower of %ld\n", tower(1000));
	return arg;
}

static void *large(void *arg)
{
	volatile char big[300000];
	for (size_t i = 0; i < sizeof big; i += 1000)
		big[i] = 1;
	printf("a large array, %d\n", big[1000]);
	return arg;
}

static int larger(int n)
{
	volatile char big[n];
	big[0] = 1;
	printf("a larger array, %d\n", big[0]);
	return 0;
}

static void *larger_too(void *arg)
{
	larger(300000);
	return arg;
}

static int in_thread(void *(*f)(void *))
{
	pthread_t t;
	if (pthread_create(&t, NULL, f, NULL))
		return 1;
	pthread_join(t, NULL);
	return 0;
}

/* Threads up to the limit, and again. */
static void *waits_for_stop(void *arg)
{
	pthread_mutex_lock(&lock);
	while (!stop)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	return arg;
}

static int many(void)
{
	static pthread_t t[400];
	int counts[2];
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 4096);
	for (int round = 0; round < 2; round++) {
		int n = 0, error = 0;
		stop = 0;
		while (n < 400 && !(error = pthread_create(&t[n], &attr, waits_for_stop, NULL)))
			n++;
		if (error != EAGAIN)
			return 1;
		pthread_mutex_lock(&lock);
		stop = 1;
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&lock);
		for (int i = 0; i < n; i++)
			pthread_join(t[i], NULL);
		counts[round] = n;
	}
	printf("%d and %d\n", counts[0], counts[1]);
	return 0;
}

static void *exits(void *arg)
{
	exit(*(int *)arg);
}

static int exit_in_thread(void)
{
	int code = 5;
	pthread_t t;
	pthread_create(&t, NULL, exits, &code);
	pthread_join(t, NULL);
	return 1;
}

static int alarmed(void)
{
	alarm(1);
	for (;;)
		stop++;
}

static int hungry(void)
{
	size_t total = 0;
	char *p, *last = NULL;
	while ((p = malloc(1 << 20))) {
		memset(p, 1, 1 << 20);
		*(char **)p = last;
		last = p;
		total++;
	}
	for (; last; last = p) {
		p = *(char **)last;
		free(last);
	}
	p = malloc(total << 19);
	printf("%s, %s\n", total > 8 ? "some" : "little", p ? "and back" : "and gone");
	return 0;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	if (!strcmp(name, "sleeper"))
		return sleeper();
	if (!strcmp(name, "reader"))
		return reader();
	if (!strcmp(name, "handler"))
		return handler();
	if (!strcmp(name, "worker"))
		return worker();
	if (!strcmp(name, "unsupported"))
		return unsupported();
	if (!strcmp(name, "hungry"))
		return hungry();
	if (!strcmp(name, "recurse"))
		return recurse(argc);
	if (!strcmp(name, "crowd"))
		return crowd();
	if (!strcmp(name, "slices"))
		return slices();
	if (!strcmp(name, "recurse in a thread"))
		return in_thread(recurses);
	if (!strcmp(name, "overflow in a thread"))
		return in_thread(overflows);
	if (!strcmp(name, "tower in a thread"))
		return in_thread(towers);
	if (!strcmp(name, "large array in a thread"))
		return in_thread(large);
	if (!strcmp(name, "array of any length in a thread"))
		return in_thread(larger_too);
	if (!strcmp(name, "array over all that is below"))
		return larger(500 << 20);
	if (!strcmp(name, "many"))
		return many();
	if (!strcmp(name, "exit in a thread"))
		return exit_in_thread();
	if (!strcmp(name, "alarm"))
		return alarmed();
	if (!strcmp(name, "user"))
		raise(SIGUSR1);
	if (!strcmp(name, "abort"))
		abort();
	if (!strcmp(name, "raise"))
		raise(SIGFPE);
	if (!strcmp(name, "term"))
		raise(SIGTERM);
	if (!strcmp(name, "fall"))
		return goes();
	if (!strcmp(name, "null"))
		*(volatile int *)0 = 1;
	return 99;
}
