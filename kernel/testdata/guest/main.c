/* What guest_test.go has a whole guest do, by the name of the case. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
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

static int unsupported(void)
{
	pthread_t t;
	for (int i = 0; i < 3; i++)
		if (fork() != -1 || errno != ENOSYS)
			return 1;
	if (pthread_create(&t, NULL, NULL, NULL) == 0)
		return 2;
	return 0;
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

static int recurse(int n)
{
	return n == -1 ? 0 : recurse(n + 1) * 3 + 1;
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
	if (!strcmp(name, "abort"))
		abort();
	if (!strcmp(name, "raise"))
		raise(SIGFPE);
	if (!strcmp(name, "term"))
		raise(SIGTERM);
	if (!strcmp(name, "null"))
		*(volatile int *)0 = 1;
	return 99;
}
