/* Pipes and events: what is written is read, who waits is woken, and how both ends end. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "file.h"
#include "harness.h"
#include "thread.h"

#define FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)

static int fds[2];
static struct { struct mig_clone start; long result; char buf[2 * PIPE_SIZE]; size_t n; } threads[8];

static void enter(void)
{
	struct mig_clone *start = thread_current()->start;
	thread_exit(start->run(start->argument));
}

static long begin(int n, int (*run)(void *))
{
	threads[n].start = (struct mig_clone){run, (void *)(long)n, NULL, NULL};
	threads[n].result = 999;
	return __mig_sys_clone(FLAGS, (long)&threads[n].start, 0, 0, 0);
}

/* Lets all others run until they wait. */
static void others(void)
{
	for (int i = 0; i < 20; i++)
		__mig_sys_sched_yield();
}

static int reads(void *arg)
{
	long n = (long)arg;
	threads[n].result = __mig_sys_read(fds[0], (long)threads[n].buf, threads[n].n);
	return 0;
}

static int writes(void *arg)
{
	long n = (long)arg;
	threads[n].result = __mig_sys_write(fds[1], (long)threads[n].buf, threads[n].n);
	return 0;
}

static int polls(void *arg)
{
	struct pollfd p = {fds[0], POLLIN, 0};
	threads[(long)arg].result = __mig_sys_ppoll((long)&p, 1, 0, 0, 8) * 1000 + p.revents;
	return 0;
}

static int selects(void *arg)
{
	fd_set writing;
	FD_ZERO(&writing);
	FD_SET(fds[1], &writing);
	threads[(long)arg].result = __mig_sys_pselect6(fds[1] + 1, 0, (long)&writing, 0, 0, 0);
	return 0;
}

static void make(int flags)
{
	EQUAL(__mig_sys_pipe2((long)fds, flags), 0);
}

static void end(void)
{
	__mig_sys_close(fds[0]);
	__mig_sys_close(fds[1]);
}

static short revents(int fd, short events)
{
	const struct timespec no_time = {0, 0};
	struct pollfd p = {fd, events, 0};
	__mig_sys_ppoll((long)&p, 1, (long)&no_time, 0, 8);
	return p.revents;
}

static void is_a_file(void)
{
	struct stat st;
	int waiting, on = 1;
	char c;
	EQUAL(__mig_sys_pipe2((long)fds, O_APPEND), -EINVAL);
	EQUAL(__mig_sys_pipe2(0, 0), -EFAULT);
	make(O_CLOEXEC);
	EQUAL(__mig_sys_fcntl(fds[0], F_GETFD, 0), FD_CLOEXEC);
	EQUAL(__mig_sys_fcntl(fds[0], F_GETFL, 0), O_RDONLY);
	EQUAL(__mig_sys_fcntl(fds[1], F_GETFL, 0), O_WRONLY);
	EQUAL(__mig_sys_fstat(fds[0], (long)&st), 0);
	CHECK(S_ISFIFO(st.st_mode));
	EQUAL(__mig_sys_lseek(fds[0], 0, SEEK_SET), -ESPIPE);
	EQUAL(__mig_sys_pread64(fds[0], (long)&c, 1, 0), -ESPIPE);
	EQUAL(__mig_sys_ftruncate(fds[1], 0), -EINVAL);
	EQUAL(__mig_sys_read(fds[1], (long)&c, 1), -EBADF);
	EQUAL(__mig_sys_write(fds[0], (long)&c, 1), -EBADF);
	EQUAL(__mig_sys_write(fds[1], (long)"abc", 3), 3);
	EQUAL(__mig_sys_ioctl(fds[0], FIONREAD, (long)&waiting), 0);
	EQUAL(waiting, 3);
	EQUAL(__mig_sys_fcntl(fds[0], F_GETPIPE_SZ, 0), PIPE_SIZE);
	EQUAL(__mig_sys_read(fds[0], (long)&c, 1), 1);
	EQUAL(c, 'a');
	EQUAL(__mig_sys_ioctl(fds[0], FIONBIO, (long)&on), 0);
	EQUAL(__mig_sys_fcntl(fds[0], F_GETFL, 0), O_RDONLY | O_NONBLOCK);
	end();
}

/* Without waiting: what fits, and up to PIPE_BUF bytes only as a whole. */
static void does_not_wait(void)
{
	static char many[2 * PIPE_SIZE];
	make(O_NONBLOCK);
	EQUAL(__mig_sys_read(fds[0], (long)many, 1), -EAGAIN);
	EQUAL(revents(fds[0], POLLIN), 0);
	EQUAL(revents(fds[1], POLLOUT), POLLOUT);
	EQUAL(__mig_sys_write(fds[1], (long)many, PIPE_SIZE - 100), PIPE_SIZE - 100);
	EQUAL(revents(fds[1], POLLOUT), 0);
	EQUAL(__mig_sys_write(fds[1], (long)many, 101), -EAGAIN);
	EQUAL(__mig_sys_write(fds[1], (long)many, PIPE_BUF), -EAGAIN);
	EQUAL(__mig_sys_write(fds[1], (long)many, PIPE_BUF + 1), 100);
	EQUAL(__mig_sys_write(fds[1], (long)many, PIPE_BUF + 1), -EAGAIN);
	EQUAL(__mig_sys_read(fds[0], (long)many, 7), 7);
	struct iovec parts[2] = {{many, 4}, {many, 4}};
	EQUAL(__mig_sys_writev(fds[1], (long)parts, 2), -EAGAIN); /* as one */
	parts[1].iov_len = 3;
	EQUAL(__mig_sys_writev(fds[1], (long)parts, 2), 7);
	EQUAL(revents(fds[0], POLLIN), POLLIN);
	EQUAL(__mig_sys_read(fds[0], (long)many, sizeof many), PIPE_SIZE);
	end();
}

/* A read into several parts is content with what there is. */
static void reads_parts(void)
{
	char a[3], b[10];
	struct iovec parts[2] = {{a, sizeof a}, {b, sizeof b}};
	make(0);
	EQUAL(__mig_sys_write(fds[1], (long)"123", 3), 3);
	EQUAL(__mig_sys_readv(fds[0], (long)parts, 2), 3);
	EQUAL(__mig_sys_write(fds[1], (long)"12345", 5), 5);
	EQUAL(__mig_sys_readv(fds[0], (long)parts, 2), 5);
	EQUAL(b[1], '5');
	end();
}

static void wakes_readers(void)
{
	make(0);
	threads[0].n = threads[1].n = 10;
	begin(0, reads);
	begin(1, reads);
	begin(2, polls);
	others();
	EQUAL(threads[0].result, 999);
	EQUAL(__mig_sys_write(fds[1], (long)"hello", 5), 5);
	others();
	EQUAL(threads[0].result, 5);
	EQUAL(threads[1].result, 999);
	/* The first reader was woken first, and left nothing to be polled for. */
	EQUAL(threads[2].result, 999);
	EQUAL(__mig_sys_close(fds[1]), 0);
	others();
	EQUAL(threads[1].result, 0);
	EQUAL(threads[2].result, 1000 + POLLHUP);
	EQUAL(revents(fds[0], 0), POLLHUP);
	EQUAL(__mig_sys_close(fds[0]), 0);
}

/* A long write goes on in pieces; a short one waits until all of it fits. */
static void wakes_writers(void)
{
	static char all[2 * PIPE_SIZE];
	make(0);
	for (size_t i = 0; i < sizeof threads[0].buf; i++)
		threads[0].buf[i] = i * 7 + i / 251;
	threads[0].n = PIPE_SIZE + 5000;
	begin(0, writes);
	others();
	threads[1].n = 3000;
	begin(1, writes);
	begin(2, selects);
	others();
	EQUAL(threads[0].result, 999);
	EQUAL(__mig_sys_read(fds[0], (long)all, 5000), 5000);
	others();
	EQUAL(threads[0].result, PIPE_SIZE + 5000);
	EQUAL(threads[1].result, 999);
	EQUAL(threads[2].result, 999);
	EQUAL(__mig_sys_read(fds[0], (long)all + 5000, 2999), 2999);
	others();
	EQUAL(threads[1].result, 999);
	EQUAL(__mig_sys_read(fds[0], (long)all + 7999, 1), 1);
	others();
	EQUAL(threads[1].result, 3000);
	EQUAL(threads[2].result, 999);
	EQUAL(__mig_sys_read(fds[0], (long)all + 8000, PIPE_SIZE - 3000), PIPE_SIZE - 3000);
	others();
	EQUAL(threads[2].result, 1);
	EQUAL(memcmp(all, threads[0].buf, PIPE_SIZE + 5000), 0);
	end();
}

static int handled;

static void handler(int sig)
{
	handled += sig;
}

static void act(int sig, void (*to)(int))
{
	struct { void (*handler)(int); unsigned long flags; void *restorer; uint64_t mask; }
		action = {to, 0, NULL, 0};
	EQUAL(__mig_sys_rt_sigaction(sig, (long)&action, 0, 8), 0);
}

static void nobody_reads(void)
{
	act(SIGPIPE, handler);
	make(0);
	threads[0].n = PIPE_SIZE + 1;
	begin(0, writes);
	others();
	EQUAL(__mig_sys_close(fds[0]), 0);
	others();
	EQUAL(threads[0].result, PIPE_SIZE);
	EQUAL(handled, SIGPIPE);
	EQUAL(__mig_sys_write(fds[1], (long)"x", 1), -EPIPE);
	EQUAL(handled, 2 * SIGPIPE);
	EQUAL(revents(fds[1], POLLIN), POLLERR);
	act(SIGPIPE, SIG_IGN);
	struct iovec part = {"x", 1};
	EQUAL(__mig_sys_writev(fds[1], (long)&part, 1), -EPIPE);
	EQUAL(handled, 2 * SIGPIPE);
	EQUAL(__mig_sys_close(fds[1]), 0);
}

static void interrupts(void)
{
	act(SIGUSR1, handler);
	make(0);
	threads[0].n = 1;
	long id = begin(0, reads);
	others();
	EQUAL(__mig_sys_tkill(id, SIGUSR1), 0);
	others();
	EQUAL(threads[0].result, -EINTR);
	threads[1].n = PIPE_SIZE + 10;
	id = begin(1, writes);
	others();
	EQUAL(__mig_sys_tkill(id, SIGUSR1), 0);
	others();
	EQUAL(threads[1].result, PIPE_SIZE);
	end();
}

/* The mask of ppoll and pselect holds during the wait alone. */
static void masks(void)
{
	const uint64_t usr1 = signal_bit(SIGUSR1), none = 0;
	const struct { const uint64_t *mask; size_t size; } given = {&none, 8};
	act(SIGUSR1, handler);
	handled = 0;
	make(0);
	EQUAL(__mig_sys_rt_sigprocmask(SIG_BLOCK, (long)&usr1, 0, 8), 0);
	EQUAL(__mig_sys_kill(1, SIGUSR1), 0);
	EQUAL(handled, 0);
	struct pollfd p = {fds[0], POLLIN, 0};
	EQUAL(__mig_sys_ppoll((long)&p, 1, 0, (long)&none, 8), -EINTR);
	EQUAL(handled, SIGUSR1);
	EQUAL(__mig_sys_kill(1, SIGUSR1), 0);
	fd_set reading;
	FD_ZERO(&reading);
	FD_SET(fds[0], &reading);
	EQUAL(__mig_sys_pselect6(fds[0] + 1, (long)&reading, 0, 0, 0, (long)&given), -EINTR);
	EQUAL(handled, 2 * SIGUSR1);
	EQUAL(thread_current()->blocked, usr1);
	EQUAL(__mig_sys_rt_sigprocmask(SIG_SETMASK, (long)&none, 0, 8), 0);
	end();
}

/* The pipe is there until the last of what was made of an end is closed, or read from. */
static void closes(void)
{
	char c;
	make(0);
	int copy = __mig_sys_dup(fds[1]);
	EQUAL(__mig_sys_close(fds[1]), 0);
	EQUAL(__mig_sys_write(copy, (long)"x", 1), 1);
	threads[0].n = 2;
	EQUAL(__mig_sys_close(copy), 0);
	EQUAL(__mig_sys_read(fds[0], (long)&c, 1), 1);
	EQUAL(__mig_sys_read(fds[0], (long)&c, 1), 0);
	EQUAL(__mig_sys_close(fds[0]), 0);
	make(0);
	begin(0, reads);
	others();
	EQUAL(__mig_sys_close(fds[0]), 0); /* it still reads */
	EQUAL(__mig_sys_write(fds[1], (long)"yz", 2), 2);
	others();
	EQUAL(threads[0].result, 2);
	EQUAL(__mig_sys_close(fds[1]), 0);
}

static void events(void)
{
	uint64_t n = 3;
	int fd = __mig_sys_eventfd2(2, EFD_NONBLOCK);
	EQUAL(revents(fd, POLLIN | POLLOUT), POLLIN | POLLOUT);
	EQUAL(__mig_sys_write(fd, (long)&n, 8), 8);
	EQUAL(__mig_sys_read(fd, (long)&n, 7), -EINVAL);
	EQUAL(__mig_sys_read(fd, (long)&n, 8), 8);
	EQUAL(n, 5);
	EQUAL(__mig_sys_read(fd, (long)&n, 8), -EAGAIN);
	EQUAL(revents(fd, POLLIN | POLLOUT), POLLOUT);
	n = UINT64_MAX;
	EQUAL(__mig_sys_write(fd, (long)&n, 8), -EINVAL);
	n = UINT64_MAX - 1;
	EQUAL(__mig_sys_write(fd, (long)&n, 8), 8);
	EQUAL(__mig_sys_write(fd, (long)&n, 8), -EAGAIN);
	EQUAL(__mig_sys_close(fd), 0);

	fds[0] = fds[1] = __mig_sys_eventfd2(0, EFD_SEMAPHORE);
	threads[0].n = threads[1].n = 8;
	begin(0, reads);
	begin(1, reads);
	others();
	EQUAL(threads[0].result, 999);
	n = 2;
	EQUAL(__mig_sys_write(fds[1], (long)&n, 8), 8);
	others();
	EQUAL(threads[0].result, 8);
	EQUAL(threads[1].result, 8);
	EQUAL(*(uint64_t *)threads[1].buf, 1);
	EQUAL(__mig_sys_close(fds[0]), 0);
	EQUAL(__mig_sys_eventfd2(0, 12345), -EINVAL);
}

/* Random writes and reads, without waiting, against a count of what must come next. */
static void random_bytes_in_order(void)
{
	static uint8_t buf[2 * PIPE_SIZE];
	uint64_t written = 0, read = 0;
	make(O_NONBLOCK);
	for (int i = 0; i < 3000; i++) {
		size_t n = harness_random() % (i % 3 ? 9000 : sizeof buf);
		if (harness_random() % 2) {
			for (size_t k = 0; k < n; k++)
				buf[k] = (written + k) * 31 + (written + k) / 257;
			long done = __mig_sys_write(fds[1], (long)buf, n);
			if (done > 0)
				written += done;
		} else {
			long done = __mig_sys_read(fds[0], (long)buf, n);
			for (long k = 0; k < done; k++, read++)
				EQUAL(buf[k], (uint8_t)(read * 31 + read / 257));
		}
		CHECK(written - read <= PIPE_SIZE);
	}
	CHECK(written > 10 * PIPE_SIZE);
	end();
}

void test(void)
{
	harness_map(4 << 20);
	harness_thread = enter;
	page_init(MIG_PORTABLE_BASE, MIG_PORTABLE_BASE + (4 << 20));
	fs_init();
	is_a_file();
	uint64_t before = page_count_free();
	does_not_wait();
	reads_parts();
	wakes_readers();
	wakes_writers();
	nobody_reads();
	interrupts();
	masks();
	closes();
	events();
	random_bytes_in_order();
	EQUAL(thread_count(), 1);
	/* All but pages of small objects, which stay with the kernel, come back. */
	CHECK(page_count_free() + 8 >= before);
}
