/* printf in all its forms, scanf, buffering, ungetc, and streams over the file system. */
// exit: 0
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
	printf("%d|%5d|%-5d|%05d|%+d|% d|%x|%#X|%o|%u\n", 42, 42, 42, 42, 42, 42, 255, 255, 8, 3000000000u);
	printf("%hhd|%hd|%ld|%lld|%zu|%jd|%td\n", (char)300, (short)70000, 1L << 40, 1LL << 50, sizeof(int), (intmax_t)-5, (ptrdiff_t)9);
	printf("%f|%.2f|%10.3e|%g|%G|%a|%-12.4g|\n", 3.14159, 2.005, 12345.678, 1e-10, 1e20, 1.0, 0.0001234);
	printf("%s|%10s|%-10s|%.3s|%c|%%|%*d|%.*f\n", "text", "right", "left", "cut off", 'c', 6, 7, 2, 1.0 / 3);
	int written;
	printf("counted%n\n", &written);
	printf("%d\n", written);

	FILE *f = fopen("/tmp/data.txt", "w+");
	if (!f) {
		perror("fopen");
		return 1;
	}
	for (int i = 0; i < 50; i++)
		fprintf(f, "%d %s %.3f\n", i, i % 2 ? "odd" : "even", i / 7.0);
	rewind(f);
	int n, lines = 0, sum = 0;
	char word[16];
	float x;
	while (fscanf(f, "%d %15s %f", &n, word, &x) == 3)
		lines++, sum += n + (int)strlen(word) + (int)(x * 10);
	printf("%d lines, sum %d, eof %d, error %d\n", lines, sum, feof(f) != 0, ferror(f) != 0);
	fseek(f, -20, SEEK_END);
	char line[64];
	while (fgets(line, sizeof line, f))
		printf("[%zu] %s", strlen(line), line);
	long end = ftell(f);
	fseek(f, 0, SEEK_SET);
	int ch = getc(f);
	ungetc('X', f);
	printf("%ld %c %c\n", end, ch, getc(f));
	fclose(f);

	int a, b;
	char c[8], set[16];
	n = sscanf("12:0x1f abc [x-y]z", "%d:%i %7s [%15[^]]", &a, &b, c, set);
	printf("%d %d %d %s %s\n", n, a, b, c, set);
	char *out = NULL;
	size_t size = 0;
	FILE *m = open_memstream(&out, &size);
	for (int i = 0; i < 30; i++)
		fprintf(m, "%d,", i * i);
	fclose(m);
	printf("%zu %s\n", size, out);
	free(out);
	f = tmpfile();
	fwrite("0123456789", 1, 10, f);
	rewind(f);
	n = (int)fread(word, 1, sizeof word, f);
	printf("%d %.*s\n", n, n, word);
	fclose(f);
	return 0;
}
