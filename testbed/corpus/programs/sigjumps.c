// Jumps out of signal handlers, with the signal mask and without.
// exit: 0
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

static sigjmp_buf env;
static jmp_buf plain;
static volatile int jumps, loops;

static void out(int sig)
{
	jumps++;
	siglongjmp(env, sig);
}

static void out_plainly(int sig)
{
	jumps++;
	longjmp(plain, sig);
}

static int is_blocked(int sig)
{
	sigset_t now;
	sigprocmask(SIG_SETMASK, NULL, &now);
	return sigismember(&now, sig);
}

static void unblock(int sig)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

// Computes until the timer throws it out.
static void limited(int n, volatile int *reached)
{
	for (int i = 0; i < 1000 || n == 3; i++) {
		*reached = i;
		loops++;
		if (n > 0 && i % 16 == 0)
			limited(n - 1, reached);
	}
}

int main(void)
{
	volatile int rounds = 0, reached = 0;
	char buffer[32] = "kept on the stack";
	signal(SIGUSR1, out);
	for (volatile int save = 0; save < 2; save++) {
		int sig = sigsetjmp(env, save);
		if (sig == 0)
			raise(SIGUSR1);
		printf("save %d: came with %d, blocked %d\n", save, sig == SIGUSR1, is_blocked(SIGUSR1));
		unblock(SIGUSR1);
	}
	int sig = setjmp(plain);
	if (sig == 0) {
		signal(SIGUSR2, out_plainly);
		raise(SIGUSR2);
	}
	unblock(SIGUSR2);
	printf("plain: %d\n", sig == SIGUSR2);

	signal(SIGALRM, out);
	if (sigsetjmp(env, 1))
		rounds++;
	if (rounds < 3) {
		struct itimerval soon = {{0, 0}, {0, 1000}};
		setitimer(ITIMER_REAL, &soon, NULL);
		limited(3, &reached);
	}
	printf("%d rounds, %d jumps, looped %d, %s\n", rounds, jumps, loops > 0 && reached >= 0, buffer);
	return 0;
}
