// Compresses and decompresses a file at levels from fast to strong.
#include "input.h"

#include <zstd.h>

#include <string.h>

static size_t must(size_t result)
{
	if (ZSTD_isError(result)) {
		fprintf(stderr, "%s\n", ZSTD_getErrorName(result));
		exit(3);
	}
	return result;
}

int main(int argc, char **argv)
{
	static const struct {
		int level, times;
	} runs[] = {{1, 4}, {3, 3}, {7, 1}, {9, 1}};
	size_t size;
	void *in = read_input(argv[argc - 1], &size), *back = malloc(size);
	size_t room = ZSTD_compressBound(size);
	void *out = malloc(room);
	if (!back || !out)
		return 3;
	for (size_t n = 0; n < sizeof runs / sizeof *runs; n++) {
		size_t packed = 0;
		for (int i = 0; i < runs[n].times; i++) {
			packed = must(ZSTD_compress(out, room, in, size, runs[n].level));
			for (int k = 0; k < 3; k++)
				if (must(ZSTD_decompress(back, size, out, packed)) != size || memcmp(in, back, size))
					return 4;
		}
		printf("level %d: %zu, %016llx\n", runs[n].level, packed, (unsigned long long)checksum(out, packed));
	}
}
