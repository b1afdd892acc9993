/* Fills so many MiB with numbers of 32 random bits in 64, prints "ready", and from then on
   changes one of them each millisecond. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	size_t count = (size_t)(argc > 1 ? atoi(argv[1]) : 1) << 17;
	uint64_t *data = malloc(count * sizeof *data), x = 1;
	if (!data)
		return 3;
	for (size_t i = 0; i < count; i++) {
		x = x * UINT64_C(6364136223846793005) + 1442695040888963407;
		data[i] = x >> 32;
	}
	puts("ready");
	fflush(stdout);
	for (;;) {
		x = x * UINT64_C(6364136223846793005) + 1442695040888963407;
		data[(x >> 32) % count]++;
		usleep(1000);
	}
}
