// Signal stacks: what handlers with SA_ONSTACK have there, and how they get away from it.
// exit: 0
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SIZE 16384

static char *stack;
static sigjmp_buf away;
static int depth, pipes[2];

static int on_it(const void *p)
{
	return (const char *)p >= stack && (const char *)p < stack + SIZE;
}

static int sum_of(int n)
{
	int numbers[20];
	for (int i = 0; i < 20; i++)
		numbers[i] = n * i;
	return n ? sum_of(n - 1) + numbers[n % 20] : on_it(numbers);
}

static void handler(int sig)
{
	volatile int here = sig;
	stack_t now;
	sigaltstack(NULL, &now);
	printf("signal %d: on it %d, flags %d, %d\n", here, on_it((const void *)&here), now.ss_flags, sum_of(12));
	if (depth++ == 0) {
		raise(SIGUSR2);
		stack_t none = {.ss_flags = SS_DISABLE};
		printf("may not change: %d\n", sigaltstack(&none, NULL) && errno == EPERM);
	}
}

static void jumper(int sig)
{
	volatile int here = sig;
	printf("out of signal %d, on it %d\n", here, on_it((const void *)&here));
	siglongjmp(away, sig);
}

static void reader(int sig)
{
	char c;
	(void)sig;
	alarm(0);
	raise(SIGTERM); // its handler jumps
	read(pipes[0], &c, 1);
}

static void set(int sig, void (*handler)(int), int flags)
{
	struct sigaction a = {.sa_handler = handler, .sa_flags = flags};
	sigaction(sig, &a, NULL);
}

static void *thread(void *arg)
{
	int here = 0;
	set(SIGUSR1, handler, SA_ONSTACK);
	(void)arg;
	raise(SIGUSR1); // no stack of its own: on the thread's
	printf("thread: %d\n", here);
	return NULL;
}

int main(void)
{
	stack_t s = {.ss_sp = stack = malloc(SIZE), .ss_size = SIZE}, old;
	set(SIGUSR1, handler, SA_ONSTACK);
	set(SIGUSR2, handler, SA_ONSTACK);
	raise(SIGUSR1);
	depth = 0;
	int failed = sigaltstack(&s, &old);
	printf("set %d, was off %d\n", failed, old.ss_flags == SS_DISABLE);
	raise(SIGUSR1);
	set(SIGUSR2, handler, 0);
	raise(SIGUSR2);

	// Jumped out of, many times, in a wait too, and the stack is free again.
	pipe(pipes);
	set(SIGTERM, jumper, SA_ONSTACK);
	set(SIGALRM, reader, SA_ONSTACK);
	for (int i = 0; i < 5; i++) {
		int local = sum_of(i);
		if (sigsetjmp(away, 1) == 0) {
			if (i % 2)
				raise(SIGTERM);
			ualarm(1000, 0);
			char c;
			read(pipes[0], &c, 1);
		}
		sigaltstack(NULL, &old);
		printf("%d: %d, flags %d, %d\n", i, local, old.ss_flags, sum_of(i));
	}
	alarm(0);
	pthread_t t;
	depth = 0;
	pthread_create(&t, NULL, thread, NULL);
	pthread_join(t, NULL);

	s.ss_size = 100;
	printf("too small: %d\n", sigaltstack(&s, NULL) && errno == ENOMEM);
	s.ss_flags = SS_DISABLE;
	printf("off: %d\n", sigaltstack(&s, NULL));
	depth = 1;
	raise(SIGUSR1);
	return 0;
}
