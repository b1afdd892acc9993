// A pipeline of threads: one reads lines, some work on them, one writes them in order.
// stdin: first\nthe second line\n\nand one that is a little longer than the others, with 12 digits\nlast
// exit: 5
#define _GNU_SOURCE
#include <ctype.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORKERS 3
#define LINES 64

struct line {
	char *text;
	char *result;
	sem_t done;
};

static struct line lines[LINES];
static sem_t unclaimed;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int claimed, count = -1;

static char *work_on(const char *text)
{
	char *out = NULL;
	size_t size, n = strlen(text);
	FILE *f = open_memstream(&out, &size);
	unsigned hash = 5381;
	for (size_t i = 0; i < n; i++) {
		hash = hash * 33 + (unsigned char)text[i];
		fputc(isupper((unsigned char)text[n - 1 - i]) ? '#' : toupper((unsigned char)text[n - 1 - i]), f);
	}
	fprintf(f, " %u", hash);
	fclose(f);
	return out;
}

static void *work(void *arg)
{
	for (;;) {
		sem_wait(&unclaimed);
		pthread_mutex_lock(&lock);
		int n = claimed++;
		pthread_mutex_unlock(&lock);
		if (!lines[n].text) {
			sem_post(&lines[n].done);
			return arg;
		}
		lines[n].result = work_on(lines[n].text);
		sem_post(&lines[n].done);
	}
}

static void *read_lines(void *arg)
{
	char *text = NULL;
	size_t room = 0;
	ssize_t len;
	int n = 0;
	while ((len = getline(&text, &room, stdin)) >= 0) {
		if (len && text[len - 1] == '\n')
			text[len - 1] = 0;
		lines[n++].text = strdup(text);
		sem_post(&unclaimed);
	}
	free(text);
	for (int i = 0; i < WORKERS; i++)
		sem_post(&unclaimed);
	return arg;
}

static void *write_lines(void *arg)
{
	for (int n = 0;; n++) {
		sem_wait(&lines[n].done);
		if (!lines[n].text) {
			count = n;
			return arg;
		}
		printf("%d: %s\n", n, lines[n].result);
		fflush(stdout);
		free(lines[n].text);
		free(lines[n].result);
	}
}

int main(void)
{
	pthread_t reader, writer, workers[WORKERS];
	sem_init(&unclaimed, 0, 0);
	for (int i = 0; i < LINES; i++)
		sem_init(&lines[i].done, 0, 0);
	for (int i = 0; i < WORKERS; i++)
		pthread_create(&workers[i], NULL, work, NULL);
	pthread_create(&writer, NULL, write_lines, NULL);
	pthread_create(&reader, NULL, read_lines, NULL);
	pthread_join(reader, NULL);
	for (int i = 0; i < WORKERS; i++)
		pthread_join(workers[i], NULL);
	pthread_join(writer, NULL);
	return count;
}
