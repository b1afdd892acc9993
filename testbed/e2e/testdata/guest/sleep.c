/* sleep SECONDS: says when it begins, and afterwards whether the time has passed. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "guest.h"

int sleep_command(int argc, char **argv)
{
	struct timespec want = {.tv_sec = argc > 0 ? atoi(argv[0]) : 1}, begin, end;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	printf("asleep\n");
	nanosleep(&want, 0);
	clock_gettime(CLOCK_MONOTONIC, &end);
	long long ns = (end.tv_sec - begin.tv_sec) * 1000000000LL + end.tv_nsec - begin.tv_nsec;
	printf(ns >= want.tv_sec * 1000000000LL ? "awake\n" : "awake too early\n");
	return 4;
}
