/* crash null|jump|stack|abort: waits for a line of input, and crashes three calls deep. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"

/* Volatile, so that the compiler knows nothing of what is done with them. */
static int *volatile nowhere;
static void (*volatile wild)(void) = (void (*)(void))(uintptr_t)0x123456;

static __attribute__((noinline)) int descend(volatile int *above)
{
	volatile int here[256];
	here[0] = *above;
	return descend(here) + here[0];
}

static __attribute__((noinline)) int fall(const char *how)
{
	int zero = 0;
	if (!strcmp(how, "null"))
		*nowhere = 1;
	if (!strcmp(how, "jump"))
		wild();
	if (!strcmp(how, "stack"))
		return descend(&zero);
	if (!strcmp(how, "abort"))
		abort();
	return 6;
}

static __attribute__((noinline)) int stumble(const char *how)
{
	int status = fall(how);
	printf("still here\n");
	return status;
}

int crash_command(int argc, char **argv)
{
	char line[16];
	printf("armed\n");
	if (!fgets(line, sizeof line, stdin))
		return 7;
	return stumble(argc > 0 ? argv[0] : "null");
}
