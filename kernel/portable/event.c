/* eventfd(2): a counter that can be waited for like a pipe. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>

#include "file.h"
#include "thread.h"

#define MOST (UINT64_MAX - 1)

static bool exist; /* as in pipe.c */

int64_t event_read(const struct file *file, void *buf, size_t n)
{
	struct event *e = &file->inode->event;
	uint64_t interrupted = thread_interrupted();
	if (!exist || n < sizeof e->count)
		return -EINVAL;
	while (e->count == 0) {
		if (file->flags & O_NONBLOCK)
			return -EAGAIN;
		if (thread_interrupted() != interrupted)
			return -EINTR;
		wait_for(e, FOREVER);
	}
	uint64_t got = e->semaphore ? 1 : e->count;
	e->count -= got;
	memcpy(buf, &got, sizeof got);
	wake_waiters(e);
	return sizeof got;
}

int64_t event_write(const struct file *file, const void *buf, size_t n)
{
	struct event *e = &file->inode->event;
	uint64_t interrupted = thread_interrupted(), more;
	if (!exist || n < sizeof more)
		return -EINVAL;
	memcpy(&more, buf, sizeof more);
	if (more > MOST)
		return -EINVAL;
	while (more > MOST - e->count) {
		if (file->flags & O_NONBLOCK)
			return -EAGAIN;
		if (thread_interrupted() != interrupted)
			return -EINTR;
		wait_for(e, FOREVER);
	}
	e->count += more;
	wake_waiters(e);
	return sizeof more;
}

short event_ready(const struct file *file)
{
	const struct event *e = &file->inode->event;
	return (e->count > 0 ? POLLIN | POLLRDNORM : 0) | (e->count < MOST ? POLLOUT | POLLWRNORM : 0);
}

SYSCALL2(eventfd2, unsigned, count, int, flags)
{
	if (flags & ~(EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE))
		return -EINVAL;
	struct inode *inode = inode_new(INODE_EVENT, 0600);
	if (!inode)
		return -ENFILE;
	exist = true;
	inode->event.count = count;
	inode->event.semaphore = flags & EFD_SEMAPHORE;
	return fd_open_new(inode, O_RDWR | (flags & (EFD_CLOEXEC | EFD_NONBLOCK)));
}
