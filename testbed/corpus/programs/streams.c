/* Streams whose reads, writes and seeks are functions of the program, called inside stdio. */
// exit: 3
#define _GNU_SOURCE
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rot { char data[512]; size_t size, at; int turn, calls; unsigned state, stirred; };

/* A loop of unknown length, so that the callbacks have migration points. */
static void stir(struct rot *r)
{
	do {
		r->state = r->state * 1103515245u + 12345u;
		r->stirred++;
	} while (r->state >> 28 > 7);
}

static char turned(char c, int by)
{
	if (islower((unsigned char)c))
		return (char)('a' + (c - 'a' + by + 26) % 26);
	return c;
}

static ssize_t rot_read(void *cookie, char *to, size_t n)
{
	struct rot *r = cookie;
	r->calls++;
	if (n > 7) /* short reads: the library has to come again */
		n = 7;
	if (n > r->size - r->at)
		n = r->size - r->at;
	stir(r);
	for (size_t i = 0; i < n; i++)
		to[i] = turned(r->data[r->at++], -r->turn);
	return (ssize_t)n;
}

static ssize_t rot_write(void *cookie, const char *from, size_t n)
{
	struct rot *r = cookie;
	r->calls++;
	size_t i;
	stir(r);
	for (i = 0; i < n && r->at < sizeof r->data; i++)
		r->data[r->at++] = turned(from[i], r->turn);
	if (r->size < r->at)
		r->size = r->at;
	return (ssize_t)i;
}

static int rot_seek(void *cookie, off64_t *offset, int whence)
{
	struct rot *r = cookie;
	stir(r);
	off64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? (off64_t)r->at : (off64_t)r->size;
	if (base + *offset < 0 || base + *offset > (off64_t)r->size)
		return -1;
	r->at = (size_t)(*offset += base);
	return 0;
}

static int rot_close(void *cookie)
{
	struct rot *r = cookie;
	stir(r);
	printf("closed: %zu bytes, turned by %d, first \"%.12s\"\n", r->size, r->turn, r->data);
	return 0;
}

int main(void)
{
	const cookie_io_functions_t io = {rot_read, rot_write, rot_seek, rot_close};
	for (int turn = 1; turn < 26; turn += 8) {
		struct rot *r = calloc(1, sizeof *r);
		r->turn = turn;
		FILE *f = fopencookie(r, "w+", io);
		setvbuf(f, NULL, _IOLBF, 64);
		for (int i = 0; i < 8; i++)
			fprintf(f, "line %d of turn %d: %.4f\n", i, turn, i / 3.0);
		rewind(f);
		int number, lines = 0, sum = 0;
		double d;
		while (fscanf(f, "line %d of turn %*d: %lf\n", &number, &d) == 2)
			lines++, sum += number + (int)(d * 100);
		fseek(f, -5, SEEK_END);
		char tail[16] = "";
		fgets(tail, sizeof tail, f);
		printf("turn %d: %d lines, sum %d, tail %s", turn, lines, sum, tail);
		fclose(f);
		printf("called back %d\n", r->calls > 4 && r->stirred > 10);
		free(r);
	}

	char *text = NULL;
	size_t size = 0;
	FILE *m = open_memstream(&text, &size);
	for (int i = 0; i < 100; i++)
		fprintf(m, "%d,", i * i);
	fclose(m);
	FILE *in = fmemopen(text, size, "r");
	int v, count = 0;
	long total = 0;
	while (fscanf(in, "%d,", &v) == 1)
		total += v, count++;
	printf("%zu bytes, %d numbers, total %ld\n", size, count, total);
	fclose(in);
	free(text);
	return count % 97;
}
