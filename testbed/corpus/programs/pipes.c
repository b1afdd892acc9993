// Threads that talk through pipes and events: blocked on empty ones and on full ones, in poll
// and select, until the end of what comes, and with nobody left to read.
// exit: 6
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

struct ends { int in, out; };

static struct ends new_pipe(int flags)
{
	int fds[2];
	if (pipe2(fds, flags) != 0) {
		perror("pipe2");
		exit(1);
	}
	return (struct ends){fds[0], fds[1]};
}

static void start(pthread_t *t, void *(*run)(void *), void *arg)
{
	if (pthread_create(t, NULL, run, arg) != 0)
		exit(2);
}

// Doubles each number that comes, until the end.
static void *doubles(void *arg)
{
	struct ends *e = arg;
	FILE *in = fdopen(e->in, "r"), *out = fdopen(e->out, "w");
	long n;
	while (fscanf(in, "%ld", &n) == 1)
		fprintf(out, "%ld\n", 2 * n);
	fclose(in);
	fclose(out);
	return NULL;
}

static void chain(void)
{
	struct ends first = new_pipe(O_CLOEXEC), second = new_pipe(0), third = new_pipe(0);
	struct ends a = {first.in, second.out}, b = {second.in, third.out};
	pthread_t ta, tb;
	char line[100];
	long sum = 0;
	start(&ta, doubles, &a);
	start(&tb, doubles, &b);
	for (int i = 1; i <= 20; i++)
		dprintf(first.out, "%d ", i);
	close(first.out);
	FILE *results = fdopen(third.in, "r");
	while (fgets(line, sizeof line, results))
		sum += atol(line);
	printf("chain: %ld\n", sum);
	fclose(results);
	pthread_join(ta, NULL);
	pthread_join(tb, NULL);
}

#define LONG 150000

static void *writes_long(void *arg)
{
	int out = *(int *)arg;
	uint8_t *bytes = malloc(LONG);
	for (int i = 0; i < LONG; i++)
		bytes[i] = i * 13 + i / 256;
	ssize_t n = write(out, bytes, LONG); // more than fits: in pieces
	close(out);
	free(bytes);
	return (void *)n;
}

static void backlog(void)
{
	struct ends e = new_pipe(0);
	static uint8_t buf[40000];
	pthread_t t;
	void *result;
	long at = 0, wrong = 0, n;
	start(&t, writes_long, &e.out);
	while ((n = read(e.in, buf, sizeof buf)) > 0)
		for (long i = 0; i < n; i++, at++)
			wrong += buf[i] != (uint8_t)(at * 13 + at / 256);
	pthread_join(t, &result);
	printf("backlog: %ld of %ld, %ld wrong\n", at, (long)(intptr_t)result, wrong);
	close(e.in);
}

// Records of several writers do not mix: each has its own byte only.
struct writer { int out; char byte; };

static void *writes_records(void *arg)
{
	struct writer *w = arg;
	char record[3000];
	struct iovec parts[2] = {{record, 1000}, {record + 1000, 2000}};
	memset(record, w->byte, sizeof record);
	for (int i = 0; i < 10; i++)
		if (i % 2 ? write(w->out, record, sizeof record) != sizeof record
			  : writev(w->out, parts, 2) != sizeof record)
			abort();
	return NULL;
}

static void records(void)
{
	struct ends e = new_pipe(0);
	struct writer w[4];
	pthread_t t[4];
	int of[4] = {0}, torn = 0;
	for (int i = 0; i < 4; i++) {
		w[i] = (struct writer){e.out, 'a' + i};
		start(&t[i], writes_records, &w[i]);
	}
	FILE *in = fdopen(e.in, "r");
	static char record[3000];
	for (int i = 0; i < 40; i++) {
		if (fread(record, sizeof record, 1, in) != 1)
			abort();
		of[record[0] - 'a']++;
		for (size_t k = 1; k < sizeof record; k++)
			torn += record[k] != record[0];
	}
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	printf("records: %d %d %d %d, %d torn\n", of[0], of[1], of[2], of[3], torn);
	close(e.out);
	fclose(in);
}

// Writes a byte to one pipe and then to the other, and closes both.
static void *feeds(void *arg)
{
	struct ends *e = arg;
	for (int i = 0; i < 3; i++) {
		if (write(e[i % 2].out, "x", 1) != 1)
			abort();
		usleep(1000);
	}
	close(e[1].out);
	close(e[0].out);
	return NULL;
}

static void waiting(void)
{
	struct ends e[2] = {new_pipe(O_NONBLOCK), new_pipe(0)};
	struct pollfd p[2] = {{e[0].in, POLLIN, 0}, {e[1].in, POLLIN, 0}};
	struct stat st;
	pthread_t t;
	int bytes = 0, ended = 0;
	char c;
	fstat(e[0].in, &st);
	bool empty = read(e[0].in, &c, 1) < 0 && errno == EAGAIN;
	printf("waiting: %s, %s\n", S_ISFIFO(st.st_mode) ? "a pipe" : "no pipe", empty ? "empty" : "?");
	printf("waiting: %d before\n", poll(p, 2, 1));
	start(&t, feeds, e);
	while (ended < 2) {
		poll(p, 2, -1);
		for (int i = 0; i < 2; i++) {
			if (p[i].fd < 0 || !p[i].revents)
				continue;
			if (read(p[i].fd, &c, 1) == 1) {
				bytes++;
			} else {
				ended++;
				p[i].fd = -1;
			}
		}
	}
	pthread_join(t, NULL);
	printf("waiting: %d bytes, %d ends\n", bytes, ended);
	close(e[0].in);
	close(e[1].in);
}

static void *drains(void *arg)
{
	static char buf[1 << 16];
	usleep(1000);
	return (void *)(intptr_t)read(*(int *)arg, buf, sizeof buf);
}

static void selecting(void)
{
	struct ends e = new_pipe(O_NONBLOCK);
	static char buf[1 << 20];
	pthread_t t;
	void *drained;
	fd_set writing;
	struct timespec ms = {0, 1000000};
	ssize_t filled = write(e.out, buf, sizeof buf);
	FD_ZERO(&writing);
	FD_SET(e.out, &writing);
	int now = pselect(e.out + 1, NULL, &writing, NULL, &ms, NULL);
	start(&t, drains, &e.in);
	FD_SET(e.out, &writing);
	int later = select(e.out + 1, NULL, &writing, NULL, NULL);
	pthread_join(t, &drained);
	printf("selecting: %d, then %d, %s\n", now, later, filled == (intptr_t)drained ? "drained" : "?");
	close(e.in);
	close(e.out);
}

static volatile sig_atomic_t broken;

static void breaks(int sig)
{
	(void)sig;
	broken++;
}

static void *writes_until_it_breaks(void *arg)
{
	int out = *(int *)arg;
	static char buf[10000];
	long total = 0, n;
	while ((n = write(out, buf, sizeof buf)) > 0)
		total += n;
	return (void *)(intptr_t)(n < 0 && errno == EPIPE && total > 0);
}

static void nobody(void)
{
	struct ends e = new_pipe(0);
	pthread_t t;
	void *result;
	char c;
	signal(SIGPIPE, breaks);
	start(&t, writes_until_it_breaks, &e.out);
	if (read(e.in, &c, 1) != 1)
		abort();
	usleep(1000);
	close(e.in);
	pthread_join(t, &result);
	printf("nobody: %d, %s\n", (int)(intptr_t)result, broken > 0 ? "SIGPIPE" : "no signal");
	signal(SIGPIPE, SIG_IGN);
	int written = write(e.out, "x", 1);
	printf("nobody: %d, %s\n", written, errno == EPIPE ? "EPIPE" : "?");
	close(e.out);
}

static void *draws(void *arg)
{
	int fd = *(int *)arg;
	uint64_t n, sum = 0;
	for (int i = 0; i < 5; i++) {
		if (read(fd, &n, sizeof n) != sizeof n)
			abort();
		sum += n;
	}
	return (void *)(uintptr_t)sum;
}

static void events(void)
{
	int fd = eventfd(0, EFD_SEMAPHORE);
	pthread_t t[3];
	void *sum;
	uint64_t five = 5;
	for (int i = 0; i < 3; i++)
		start(&t[i], draws, &fd);
	for (int i = 0; i < 3; i++) {
		usleep(500);
		if (write(fd, &five, sizeof five) != sizeof five)
			abort();
	}
	for (int i = 0; i < 3; i++) {
		pthread_join(t[i], &sum);
		printf("events: %d\n", (int)(uintptr_t)sum);
	}
	close(fd);
}

int main(void)
{
	chain();
	backlog();
	records();
	waiting();
	selecting();
	nobody();
	events();
	return 6;
}
