/* Pipes. A file of an end of one; what it holds is a ring of bytes. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <poll.h>

#include "file.h"
#include "thread.h"

/* What a program that makes no pipe never sets, so that no pipe's code is in it. */
static bool exist;

static bool reads(const struct file *file)
{
	return (file->flags & O_ACCMODE) == O_RDONLY;
}

void pipe_opened(const struct file *file)
{
	struct pipe *p = &file->inode->pipe;
	reads(file) ? p->readers++ : p->writers++;
}

void pipe_closed(const struct file *file)
{
	struct pipe *p = &file->inode->pipe;
	reads(file) ? p->readers-- : p->writers--;
	wake_waiters(p);
}

void pipe_free(struct inode *inode)
{
	if (inode->pipe.ring)
		page_free(inode->pipe.ring, PAGES(PIPE_SIZE));
}

/* One round about the ring: takes up to n bytes. */
static size_t take(struct pipe *p, uint8_t *to, size_t n)
{
	if (n > p->used)
		n = p->used;
	size_t first = PIPE_SIZE - p->start;
	if (first > n)
		first = n;
	memcpy(to, p->ring + p->start, first);
	memcpy(to + first, p->ring, n - first);
	p->start = (p->start + n) % PIPE_SIZE;
	p->used -= n;
	return n;
}

static void put(struct pipe *p, const uint8_t *from, size_t n)
{
	uint32_t end = (p->start + p->used) % PIPE_SIZE;
	size_t first = PIPE_SIZE - end;
	if (first > n)
		first = n;
	memcpy(p->ring + end, from, first);
	memcpy(p->ring, from + first, n - first);
	p->used += n;
}

int64_t pipe_read(const struct file *file, void *buf, size_t n)
{
	struct pipe *p = &file->inode->pipe;
	uint64_t interrupted = thread_interrupted();
	if (!exist)
		return 0;
	while (p->used == 0) {
		if (p->writers == 0)
			return 0;
		if (file->flags & O_NONBLOCK)
			return -EAGAIN;
		if (thread_interrupted() != interrupted)
			return -EINTR;
		wait_for(p, FOREVER);
	}
	size_t got = take(p, buf, n);
	wake_waiters(p);
	return got;
}

static size_t room(const struct pipe *p)
{
	return PIPE_SIZE - p->used;
}

/* What ends a write of which done bytes are written. */
static int64_t cut_short(size_t done, int error)
{
	return done ? (int64_t)done : error;
}

int64_t pipe_write(const struct file *file, const void *buf, size_t n)
{
	struct pipe *p = &file->inode->pipe;
	uint64_t interrupted = thread_interrupted();
	size_t done = 0;
	/* Up to PIPE_BUF bytes are written at once or not at all (pipe(7)). */
	size_t least = n <= PIPE_BUF ? n : 1;
	if (!exist)
		return 0;
	if (!p->ring && !(p->ring = page_alloc(PAGES(PIPE_SIZE))))
		return -ENOMEM;
	for (;;) {
		if (p->readers == 0) {
			signal_self(SIGPIPE);
			return cut_short(done, -EPIPE);
		}
		if (room(p) >= least) {
			size_t part = room(p) < n - done ? room(p) : n - done;
			put(p, (const uint8_t *)buf + done, part);
			done += part;
			wake_waiters(p);
		}
		if (done == n)
			return done;
		if (file->flags & O_NONBLOCK)
			return cut_short(done, -EAGAIN);
		if (thread_interrupted() != interrupted)
			return cut_short(done, -EINTR);
		wait_for(p, FOREVER);
	}
}

void pipe_signal(void)
{
	if (exist)
		signal_deliver();
}

size_t pipe_waiting(const struct file *file)
{
	return file->inode->pipe.used;
}

short pipe_ready(const struct file *file)
{
	const struct pipe *p = &file->inode->pipe;
	short now = 0;
	if (reads(file)) {
		if (p->used)
			now |= POLLIN | POLLRDNORM;
		if (!p->writers)
			now |= POLLHUP;
	} else {
		if (room(p) >= PIPE_BUF)
			now |= POLLOUT | POLLWRNORM;
		if (!p->readers)
			now |= POLLERR;
	}
	return now;
}

SYSCALL2(pipe2, int *, fds, uint32_t, flags)
{
	CHECK_POINTER(fds);
	if (flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	struct inode *inode = inode_new(INODE_PIPE, 0600);
	if (!inode)
		return -ENFILE;
	exist = true;
	inode_hold(inode);
	int in = fd_open(inode, O_RDONLY | flags, 0), out = in < 0 ? in : fd_open(inode, O_WRONLY | flags, 0);
	inode_release(inode);
	if (out < 0) {
		if (in >= 0)
			__mig_sys_close(in);
		return out;
	}
	fds[0] = in;
	fds[1] = out;
	return 0;
}
