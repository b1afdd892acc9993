// Compresses and decompresses a file.
#include "input.h"

#include <bzlib.h>

#include <string.h>

void bz_internal_error(int code)
{
	fprintf(stderr, "bzip2: internal error %d\n", code);
	exit(3);
}

int main(int argc, char **argv)
{
	size_t size;
	char *in = read_input(argv[argc - 1], &size), *out = malloc(size), *back = malloc(size);
	if (!out || !back)
		return 3;
	unsigned packed = (unsigned)size, unpacked = (unsigned)size;
	if (BZ2_bzBuffToBuffCompress(out, &packed, in, (unsigned)size, 9, 0, 0) != BZ_OK)
		return 4;
	for (int i = 0; i < 2; i++)
		if (BZ2_bzBuffToBuffDecompress(back, &unpacked, out, packed, 0, 0) != BZ_OK || unpacked != size ||
		    memcmp(in, back, size))
			return 4;
	printf("%u, %016llx\n", packed, (unsigned long long)checksum(out, packed));
}
