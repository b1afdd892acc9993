/* Prints lines, each made from the one before, and works on memory that does not compress. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static uint64_t heap[(2 << 20) / 8];

int main(int argc, char **argv)
{
	int lines = argc > 1 ? atoi(argv[1]) : 100;
	uint64_t sum = 1;
	for (size_t i = 0; i < sizeof heap / 8; i++)
		heap[i] = sum = sum * 6364136223846793005u + 1442695040888963407u;
	for (int i = 1; i <= lines; i++) {
		for (int k = 0; k < 100; k++) {
			uint64_t *word = &heap[sum % (sizeof heap / 8)];
			*word = sum = sum * 6364136223846793005u + *word;
		}
		printf("%d %016llx\n", i, (unsigned long long) sum);
		fflush(stdout);
		usleep(2000);
	}
	return 42;
}
