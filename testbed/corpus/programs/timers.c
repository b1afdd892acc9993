// Alarms, interval timers and POSIX timers: signals that come while a program computes or waits.
// exit: 0
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t ticks, tagged;
static sem_t fired;

static void tick(int sig)
{
	(void)sig;
	ticks++;
}

static void tag(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	if (info->si_code == SI_TIMER && info->si_value.sival_int == 1234)
		tagged++;
}

static void call(union sigval v)
{
	if (v.sival_ptr == &fired)
		sem_post(&fired);
}

int main(void)
{
	struct sigaction a = {.sa_handler = tick};
	sigaction(SIGALRM, &a, NULL);

	// While it computes.
	struct itimerval value = {{0, 2000}, {0, 2000}}, old;
	setitimer(ITIMER_REAL, &value, NULL);
	unsigned long spins = 0;
	while (ticks < 3)
		spins++;
	memset(&value, 0, sizeof value);
	setitimer(ITIMER_REAL, &value, &old);
	printf("interval %ld, spun %d\n", (long)old.it_interval.tv_usec, spins > 0);
	int before = ticks;
	usleep(5000);
	printf("stopped %d\n", ticks == before);

	// While it waits, and not before.
	sigset_t set, mask;
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, &mask);
	value.it_value.tv_usec = 2000;
	setitimer(ITIMER_REAL, &value, NULL);
	sigsuspend(&mask);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	printf("woken once: %d\n", ticks == before + 1);
	alarm(100);
	printf("seconds left: %d\n", alarm(0) >= 99);

	// By the time that it computes.
	sigaction(SIGPROF, &a, NULL);
	before = ticks;
	value.it_value.tv_usec = 1000;
	setitimer(ITIMER_PROF, &value, NULL);
	while (ticks == before)
		spins++;
	printf("profiled %d\n", ticks - before);

	timer_t timer;
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	event.sigev_value.sival_int = 1234;
	struct sigaction t = {.sa_sigaction = tag, .sa_flags = SA_SIGINFO};
	sigaction(SIGUSR1, &t, NULL);
	printf("%d\n", timer_create(CLOCK_MONOTONIC, &event, &timer));
	struct itimerspec spec = {{0, 1500000}, {0, 1500000}}, is;
	timer_settime(timer, 0, &spec, NULL);
	while (tagged < 3)
		spins++;
	timer_gettime(timer, &is);
	printf("%ld %d\n", (long)is.it_interval.tv_nsec, is.it_value.tv_nsec > 0 && is.it_value.tv_nsec <= 1500000);
	printf("%d\n", timer_delete(timer));
	printf("%d\n", timer_gettime(timer, &is) == -1 && errno == EINVAL);

	// In a thread of its own.
	sem_init(&fired, 0, 0);
	event.sigev_notify = SIGEV_THREAD;
	event.sigev_notify_function = call;
	event.sigev_notify_attributes = NULL;
	event.sigev_value.sival_ptr = &fired;
	printf("%d\n", timer_create(CLOCK_REALTIME, &event, &timer));
	memset(&spec, 0, sizeof spec);
	spec.it_value.tv_nsec = 1000000;
	timer_settime(timer, 0, &spec, NULL);
	while (sem_wait(&fired))
		;
	puts("called");
	timer_delete(timer);

	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	spec.it_value = until;
	event.sigev_notify = SIGEV_NONE;
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	timer_settime(timer, TIMER_ABSTIME, &spec, NULL);
	timer_gettime(timer, &is);
	printf("past: %ld %ld\n", (long)is.it_value.tv_sec, (long)is.it_value.tv_nsec);
	return 0;
}
