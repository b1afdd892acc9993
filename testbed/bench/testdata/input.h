/* A file of the command line, in memory; and a checksum. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static inline void *read_input(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	if (!f || fseek(f, 0, SEEK_END)) {
		perror(path);
		exit(3);
	}
	*size = (size_t)ftell(f);
	rewind(f);
	void *p = malloc(*size);
	if (!p || fread(p, 1, *size, f) != *size) {
		perror(path);
		exit(3);
	}
	fclose(f);
	return p;
}

/* FNV-1a. */
static inline uint64_t checksum(const void *data, size_t size)
{
	const unsigned char *p = data;
	uint64_t sum = 0xcbf29ce484222325;
	for (size_t i = 0; i < size; i++)
		sum = (sum ^ p[i]) * 0x100000001b3;
	return sum;
}
