// Files that are mapped shared, shared memory and semaphores with names.
// exit: 0
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROUNDS 50
#define PAGE 4096

static struct table {
	unsigned turns, sum;
} *table;

// Two threads take turns by semaphores that each opens by name.
static void *other(void *arg)
{
	sem_t *ping = sem_open("/ping", 0), *pong = sem_open("/pong", 0);
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		sem_wait(ping);
		table->sum = table->sum * 31 + ++table->turns;
		sem_post(pong);
	}
	sem_close(ping);
	sem_close(pong);
	return NULL;
}

static void turns(void)
{
	int fd = shm_open("/table", O_CREAT | O_EXCL | O_RDWR, 0600);
	printf("again: %s\n", shm_open("/table", O_CREAT | O_EXCL | O_RDWR, 0600) < 0 ? strerror(errno) : "?");
	ftruncate(fd, sizeof *table);
	table = mmap(NULL, sizeof *table, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	sem_t *ping = sem_open("/ping", O_CREAT | O_EXCL, 0600, 0), *pong = sem_open("/pong", O_CREAT, 0600, 0);
	pthread_t t;
	pthread_create(&t, NULL, other, NULL);
	for (int i = 0; i < ROUNDS; i++) {
		sem_post(ping);
		sem_wait(pong);
		table->sum += i;
	}
	pthread_join(t, NULL);
	struct table in_file;
	pread(fd, &in_file, sizeof in_file, 0);
	printf("%u turns, %u; in the file %u, %u\n", table->turns, table->sum, in_file.turns, in_file.sum);
	int value;
	sem_getvalue(sem_open("/ping", 0), &value);
	printf("ping has %d\n", value);
	sem_unlink("/ping");
	printf("gone: %s\n", sem_open("/ping", 0) == SEM_FAILED ? strerror(errno) : "?");
	shm_unlink("/table");
	close(fd);
	table->turns++; // the mapping stays
	printf("%u\n", table->turns);
	munmap(table, sizeof *table);
}

// What is written to a file is in its mapping, and the other way round.
static void both_ways(void)
{
	int fd = open("/tmp/log", O_CREAT | O_RDWR, 0600);
	ftruncate(fd, 16 * PAGE);
	char *map = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *half = mmap(NULL, 8 * PAGE, PROT_READ, MAP_SHARED, fd, 8 * PAGE);
	unsigned sum = 0;
	for (int i = 0; i < 400; i++) {
		char text[32];
		int at = i * 2654435761u % (16 * PAGE - 32), n = sprintf(text, "line %d;", i);
		if (i % 2)
			memcpy(map + at, text, n);
		else
			pwrite(fd, text, n, at);
		char back[32];
		pread(fd, back, n, at);
		if (memcmp(back, text, n) || memcmp(map + at, text, n) || (at >= 8 * PAGE && memcmp(half + at - 8 * PAGE, text, n)))
			printf("differs at %d\n", at);
		for (int k = 0; k < n; k++)
			sum = sum * 33 + (unsigned char)half[(at + k) % (8 * PAGE)];
	}
	printf("sum %u, synced %d\n", sum, msync(map, 16 * PAGE, MS_SYNC));
	munmap(map, 16 * PAGE);
	printf("still %d\n", memcmp(half, "", 1) >= 0);
	munmap(half, 8 * PAGE);
	struct stat st;
	fstat(fd, &st);
	printf("%ld bytes\n", (long)st.st_size);
	close(fd);
	unlink("/tmp/log");
}

int main(void)
{
	turns();
	both_ways();
	return 0;
}
