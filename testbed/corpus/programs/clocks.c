/* Clocks never run backwards; sleeping takes as long as asked, wherever one wakes. */
// exit: 0
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static double now(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(void)
{
	double last = now(CLOCK_MONOTONIC), wall = now(CLOCK_REALTIME);
	int backwards = 0;
	for (int i = 0; i < 300; i++) {
		double t = now(CLOCK_MONOTONIC);
		backwards += t < last;
		last = t;
	}
	printf("backwards %d, wall clock plausible %d\n", backwards, wall > 1.7e9);
	double before = now(CLOCK_MONOTONIC);
	for (int i = 0; i < 5; i++)
		nanosleep(&(struct timespec){0, 4000000}, NULL);
	printf("slept long enough %d\n", now(CLOCK_MONOTONIC) - before >= 0.02);
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += 10000000;
	if (until.tv_nsec >= 1000000000)
		until.tv_sec++, until.tv_nsec -= 1000000000;
	int r = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	printf("absolute %d %d\n", r, now(CLOCK_MONOTONIC) >= (double)until.tv_sec + (double)until.tv_nsec * 1e-9);
	usleep(1000);
	printf("invalid %d\n", nanosleep(&(struct timespec){0, -1}, NULL));
	time_t epoch = 86400 * 365;
	struct tm tm;
	char text[64];
	strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %j %a", gmtime_r(&epoch, &tm));
	printf("%s %ld\n", text, (long)mktime(&tm));
	return 0;
}
