/* getline, sorting lines, putenv, strtok; input to its end. */
// stdin: delta 4\nalpha 1\ncharlie 3\nbravo 2\necho 5\n
// exit: 15
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

int main(void)
{
	char **lines = NULL, *line = NULL;
	size_t n = 0, room = 0;
	ssize_t length;
	while ((length = getline(&line, &room, stdin)) > 0) {
		line[strcspn(line, "\n")] = 0;
		lines = realloc(lines, (n + 1) * sizeof *lines);
		lines[n++] = strdup(line);
	}
	qsort(lines, n, sizeof *lines, compare);
	int sum = 0;
	for (size_t i = 0; i < n; i++) {
		char *word = strtok(lines[i], " "), *number = strtok(NULL, " ");
		sum += atoi(number);
		printf("%-8s%3s%4d\n", word, number, sum);
		free(lines[i]);
	}
	free(lines);
	free(line);
	printf("%d\n", feof(stdin) != 0);
	return sum;
}
