// Jumps out of calls that wait, and threads that end in them: what the calls used is free again,
// so that the other end of a pipe sees that this one is closed.
// exit: 0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static sigjmp_buf env;
static int ends[2];

static void out(int sig)
{
	siglongjmp(env, sig);
}

static void leave(int sig)
{
	(void)sig;
	pthread_exit(NULL);
}

static void soon(void)
{
	struct itimerval t = {.it_value = {.tv_usec = 10000}};
	setitimer(ITIMER_REAL, &t, NULL);
}

/* Nobody reads any more. */
static void expect_broken(const char *what)
{
	close(ends[0]);
	ssize_t n = write(ends[1], "x", 1);
	printf("%s: write %zd %s\n", what, n, n < 0 ? strerror(errno) : "");
	close(ends[1]);
}

static void jump_out_of_read(void)
{
	char c;
	pipe(ends);
	if (!sigsetjmp(env, 1)) {
		soon();
		printf("read %zd\n", read(ends[0], &c, 1));
	}
	expect_broken("jump out of read");
}

static void jump_out_of_write(void)
{
	static char block[4096];
	ssize_t n;
	pipe(ends);
	if (!sigsetjmp(env, 1)) {
		soon();
		while ((n = write(ends[1], block, sizeof block)) > 0)
			;
		printf("write %zd\n", n);
	}
	close(ends[1]);
	while ((n = read(ends[0], block, sizeof block)) > 0)
		;
	printf("jump out of write: then %zd\n", n);
	close(ends[0]);
}

/* A handler that jumps within itself leaves the call below it alone. */
static void jumps_inside(int sig)
{
	sigjmp_buf inside;
	if (!sigsetjmp(inside, 0))
		siglongjmp(inside, sig);
	write(ends[1], "y", 1);
}

static void jump_in_a_handler(void)
{
	char c = 0;
	pipe(ends);
	signal(SIGALRM, jumps_inside);
	soon();
	ssize_t n = read(ends[0], &c, 1);
	signal(SIGALRM, out);
	printf("jump in a handler: read %zd %c\n", n, c);
	expect_broken("behind it");
}

static void *waits(void *arg)
{
	char c;
	read(ends[0], &c, 1);
	return arg;
}

static void end_in_read(const char *what, int (*end)(pthread_t))
{
	pthread_t t;
	pipe(ends);
	pthread_create(&t, NULL, waits, NULL);
	usleep(10000);
	end(t);
	pthread_join(t, NULL);
	expect_broken(what);
}

static int interrupt(pthread_t t) { return pthread_kill(t, SIGUSR1); }

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGALRM, out);
	signal(SIGUSR1, leave);
	for (int i = 0; i < 2; i++) {
		jump_out_of_read();
		jump_out_of_write();
		jump_in_a_handler();
		end_in_read("cancelled", pthread_cancel);
		end_in_read("ended in a handler", interrupt);
	}
	return 0;
}
