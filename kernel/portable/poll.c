/* Waiting for descriptors. Only standard input ever makes anyone wait. */
#define _GNU_SOURCE
#include <poll.h>
#include <sys/select.h>

#include "file.h"
#include "kernel.h"

/* POLL* of events that hold now. */
static short ready(const struct file *file, short events)
{
	short now = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
	if (file->inode->kind == INODE_DEVICE && file->inode->device == DEV_STDIN && !console_readable())
		now = 0;
	return now & events;
}

/* The monotonic time at which a relative timeout ends; NULL: never. */
static int deadline_of(const struct timespec *timeout, uint64_t *deadline)
{
	*deadline = FOREVER;
	if (!timeout)
		return 0;
	if (!timespec_valid(timeout))
		return -EINVAL;
	*deadline = clock_after(timespec_ns(timeout));
	return 0;
}

static int poll_once(struct pollfd *fds, uint64_t count)
{
	int found = 0;
	for (uint64_t i = 0; i < count; i++) {
		struct file *file = fd_file(fds[i].fd);
		fds[i].revents = 0;
		if (fds[i].fd >= 0)
			fds[i].revents = file ? ready(file, fds[i].events) : POLLNVAL;
		found += fds[i].revents != 0;
	}
	return found;
}

/* Signals come at the thread's own calls alone, so a mask for the wait has no effect. */
SYSCALL5(ppoll, struct pollfd *, fds, uint64_t, count, const struct timespec *, timeout,
	 const void *, mask, size_t, mask_size)
{
	uint64_t deadline, handled = thread_handled();
	(void)mask, (void)mask_size;
	if (count > FILES_MAX)
		return -EINVAL;
	if (deadline_of(timeout, &deadline) < 0)
		return -EINVAL;
	for (;;) {
		int found = poll_once(fds, count);
		if (found || clock_mono() >= deadline)
			return found;
		wait_for_input(deadline);
		if (thread_handled() != handled)
			return -EINTR;
	}
}

/* Looks at what asked wants to know, and stores what holds to got. */
static int select_once(int count, const fd_set asked[3], fd_set got[3])
{
	static const short events[3] = {POLLIN, POLLOUT, POLLPRI};
	int found = 0;
	memset(got, 0, 3 * sizeof *got);
	for (int fd = 0; fd < count; fd++) {
		struct file *file = fd_file(fd);
		for (int set = 0; set < 3; set++) {
			if (!FD_ISSET(fd, &asked[set]))
				continue;
			if (!file)
				return -EBADF;
			if (ready(file, events[set])) {
				FD_SET(fd, &got[set]);
				found++;
			}
		}
	}
	return found;
}

SYSCALL6(pselect6, int, count, fd_set *, reading, fd_set *, writing, fd_set *, exceptional,
	 const struct timespec *, timeout, const void *, mask)
{
	fd_set *sets[3] = {reading, writing, exceptional}, asked[3], got[3];
	uint64_t deadline, handled = thread_handled();
	(void)mask;
	if (count < 0 || count > FD_SETSIZE || deadline_of(timeout, &deadline) < 0)
		return -EINVAL;
	size_t bytes = (count + 63) / 64 * 8; /* the caller's sets may be shorter than ours */
	memset(asked, 0, sizeof asked);
	for (int set = 0; set < 3; set++)
		if (sets[set])
			memcpy(&asked[set], sets[set], bytes);
	int found;
	while ((found = select_once(count, asked, got)) == 0 && clock_mono() < deadline) {
		wait_for_input(deadline);
		if (thread_handled() != handled)
			return -EINTR;
	}
	for (int set = 0; set < 3 && found >= 0; set++)
		if (sets[set])
			memcpy(sets[set], &got[set], bytes);
	return found;
}
