// Signals between threads and to oneself: handlers, masks, queues, and waiting for them.
// exit: 0
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t caught[65], depth, deepest;
static int values[10], count;
static pthread_t taker;
static sem_t ready;

static void handler(int sig)
{
	caught[sig]++;
	if (++depth > deepest)
		deepest = depth;
	if (sig == SIGUSR1 && caught[sig] == 1) {
		raise(SIGUSR1); // blocked while its handler runs
		raise(SIGUSR2);
	}
	depth--;
}

static void queued(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (info->si_signo != sig || info->si_code != SI_QUEUE)
		caught[0]++;
	values[count++] = info->si_value.sival_int;
}

static void on(int sig, void (*f)(int), int flags)
{
	struct sigaction a = {.sa_handler = f, .sa_flags = flags};
	sigaction(sig, &a, NULL);
}

static void *sleeps(void *arg)
{
	sem_post(&ready);
	int left = sleep(100);
	printf("slept in part: %d\n", left > 0);
	return arg;
}

static void *waits_for_one(void *arg)
{
	sigset_t set;
	int sig;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	for (int i = 0; i < 2; i++) {
		sigwait(&set, &sig);
		printf("took %d\n", sig);
		sem_post(&ready);
	}
	return arg;
}

static void *spins(void *arg)
{
	sem_post(&ready);
	while (!caught[SIGURG])
		;
	return arg;
}

static int is_me;

static void who(int sig)
{
	caught[sig]++;
	is_me = pthread_equal(pthread_self(), taker);
}

int main(void)
{
	sigset_t set, old;
	pthread_t t;
	sem_init(&ready, 0, 0);

	on(SIGUSR1, handler, 0);
	on(SIGUSR2, handler, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, &old);
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGUSR1);
	sigpending(&set);
	printf("pending %d, caught %d\n", sigismember(&set, SIGUSR1), caught[SIGUSR1]);
	sigprocmask(SIG_SETMASK, &old, NULL);
	printf("caught %d %d, deepest %d\n", caught[SIGUSR1], caught[SIGUSR2], deepest);

	struct sigaction a = {.sa_sigaction = queued, .sa_flags = SA_SIGINFO};
	sigaction(SIGRTMIN + 1, &a, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 1);
	sigprocmask(SIG_BLOCK, &set, &old);
	for (int i = 0; i < 4; i++)
		sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = i * i});
	sigprocmask(SIG_SETMASK, &old, NULL);
	printf("%d queued: %d %d %d %d, wrong %d\n", count, values[0], values[1], values[2], values[3], caught[0]);

	signal(SIGUSR1, SIG_IGN);
	raise(SIGUSR1);
	raise(SIGCHLD);
	printf("ignored: %d\n", caught[SIGUSR1]);
	on(SIGUSR1, handler, SA_RESETHAND);
	raise(SIGUSR1);
	sigaction(SIGUSR1, NULL, &a);
	printf("once: %d %d\n", caught[SIGUSR1], a.sa_handler == SIG_DFL);
	on(SIGUSR1, handler, 0);

	pthread_create(&t, NULL, sleeps, NULL);
	sem_wait(&ready);
	// It may not sleep yet: a signal that comes before does not end the sleep.
	while (pthread_tryjoin_np(t, NULL) == EBUSY) {
		pthread_kill(t, SIGUSR2);
		usleep(500);
	}

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	pthread_create(&t, NULL, waits_for_one, NULL);
	kill(getpid(), SIGTERM);
	sem_wait(&ready);
	pthread_kill(t, SIGHUP);
	sem_wait(&ready);
	pthread_join(t, NULL);

	siginfo_t info;
	raise(SIGHUP);
	int sig = sigwaitinfo(&set, &info);
	printf("%d %d\n", sig == SIGHUP, info.si_signo == SIGHUP);
	struct timespec soon = {0, 1000000};
	sig = sigtimedwait(&set, &info, &soon);
	printf("%d %d\n", sig, errno == EAGAIN);

	on(SIGHUP, handler, 0);
	raise(SIGHUP); // pending until sigsuspend lets it in
	printf("before %d\n", caught[SIGHUP]);
	sigemptyset(&set);
	int error = sigsuspend(&set) == -1 ? errno : 0;
	printf("%d, after %d\n", error == EINTR, caught[SIGHUP]);
	pthread_sigmask(SIG_SETMASK, NULL, &set);
	printf("mask is back: %d\n", sigismember(&set, SIGHUP) && sigismember(&set, SIGTERM));
	pthread_sigmask(SIG_SETMASK, &old, NULL);

	on(SIGURG, who, SA_RESTART);
	pthread_create(&taker, NULL, spins, NULL);
	sem_wait(&ready);
	pthread_kill(taker, SIGURG);
	pthread_join(taker, NULL);
	printf("in its thread: %d\n", is_me);
	printf("%d %d\n", pthread_kill(pthread_self(), 0), pthread_kill(pthread_self(), 1000) == EINVAL);
	return 0;
}
