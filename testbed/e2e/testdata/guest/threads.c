/* threads: threads that compute, wait for each other and sleep. For each line of input it waits
   until all of them have come on, wherever they are. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

#define THREADS 4

static atomic_int stop;
static atomic_long progress[THREADS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int turn;

static void *compute(void *arg)
{
	atomic_long *mine = arg;
	while (!stop) {
		char *text = malloc(64);
		snprintf(text, 64, "%ld", atomic_load(mine) + 1);
		atomic_store(mine, atol(text));
		free(text);
	}
	return NULL;
}

static void *sleeper(void *arg)
{
	atomic_long *mine = arg;
	while (!stop) {
		usleep(1000);
		atomic_fetch_add(mine, 1);
	}
	return NULL;
}

/* Two of these take turns. */
static void *alternate(void *arg)
{
	atomic_long *mine = arg;
	int me = mine - progress;
	pthread_mutex_lock(&lock);
	while (!stop) {
		if (turn == me % 2) {
			turn = !turn;
			atomic_fetch_add(mine, 1);
			pthread_cond_signal(&changed);
		} else {
			pthread_cond_wait(&changed, &lock);
		}
	}
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
	return NULL;
}

int threads_command(int argc, char **argv)
{
	static void *(*const does[THREADS])(void *) = {alternate, alternate, compute, sleeper};
	pthread_t t[THREADS];
	char line[100];
	(void)argc, (void)argv;
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, does[i], &progress[i]))
			return 1;
	puts("started");
	while (fgets(line, sizeof line, stdin)) {
		line[strcspn(line, "\n")] = 0;
		for (int i = 0; i < THREADS; i++)
			for (long seen = progress[i]; progress[i] < seen + 3;)
				;
		printf("%s: all have come on\n", line);
	}
	stop = 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	puts("all have ended");
	return 6;
}
