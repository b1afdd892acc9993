// The main thread ends first: the others go on, and what atexit asked for comes at the end.
// exit: 0
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_t first;

static void at_end(void)
{
	puts("at the end");
}

static void *last(void *arg)
{
	void *result;
	pthread_join(first, &result);
	printf("main returned %s\n", (char *)result);
	unsigned sum = 0;
	for (int i = 0; i < 100; i++) {
		char number[16];
		snprintf(number, sizeof number, "%d", i * 37);
		sum = sum * 31 + number[i % 2];
	}
	printf("sum %u\n", sum);
	return arg;
}

int main(void)
{
	pthread_t t;
	char words[] = "on its stack";
	first = pthread_self();
	atexit(at_end);
	if (pthread_create(&t, NULL, last, NULL))
		return 1;
	pthread_detach(t);
	printf("main has words %s\n", words);
	pthread_exit("something");
}
