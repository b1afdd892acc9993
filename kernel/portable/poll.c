/* Waiting for descriptors: standard input, pipes and events. All others are always ready. */
#define _GNU_SOURCE
#include <poll.h>
#include <sys/select.h>

#include "file.h"
#include "thread.h"

short file_ready(const struct file *file)
{
	const struct inode *inode = file->inode;
	if (inode->kind == INODE_PIPE)
		return pipe_ready(file);
	if (inode->kind == INODE_EVENT)
		return event_ready(file);
	if (inode->kind == INODE_DEVICE && inode->device == DEV_STDIN && !console_readable())
		return 0;
	return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
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
			fds[i].revents = file ? file_ready(file) & (fds[i].events | POLLERR | POLLHUP) : POLLNVAL;
		found += fds[i].revents != 0;
	}
	return found;
}

/* The signals that are blocked during a wait; NULL: those that are now, which it returns. */
static uint64_t mask_for_wait(const uint64_t *mask)
{
	uint64_t before = thread_current()->blocked;
	if (mask)
		signal_mask(*mask);
	return before;
}

static void mask_after_wait(const uint64_t *mask, uint64_t before)
{
	if (!mask)
		return;
	signal_mask(before);
	signal_deliver();
}

SYSCALL5(ppoll, struct pollfd *, fds, uint64_t, count, const struct timespec *, timeout,
	 const uint64_t *, mask, size_t, mask_size)
{
	uint64_t deadline, handled = thread_handled();
	if (count > FILES_MAX || (mask && mask_size != sizeof *mask) || deadline_of(timeout, &deadline) < 0)
		return -EINVAL;
	uint64_t before = mask_for_wait(mask);
	int found;
	while ((found = poll_once(fds, count)) == 0 && clock_mono() < deadline) {
		wait_for(&any_file, deadline);
		if (thread_handled() != handled) {
			found = -EINTR;
			break;
		}
	}
	mask_after_wait(mask, before);
	return found;
}

/* Looks at what asked wants to know, and stores what holds to got. */
static int select_once(int count, const fd_set asked[3], fd_set got[3])
{
	/* What Linux counts as each (fs/select.c). */
	static const short events[3] = {POLLIN | POLLHUP | POLLERR, POLLOUT | POLLERR, POLLPRI};
	int found = 0;
	memset(got, 0, 3 * sizeof *got);
	for (int fd = 0; fd < count; fd++) {
		struct file *file = fd_file(fd);
		for (int set = 0; set < 3; set++) {
			if (!FD_ISSET(fd, &asked[set]))
				continue;
			if (!file)
				return -EBADF;
			if (file_ready(file) & events[set]) {
				FD_SET(fd, &got[set]);
				found++;
			}
		}
	}
	return found;
}

/* The sixth argument of pselect6. */
struct select_mask {
	const uint64_t *mask;
	size_t size; /* bytes */
};

SYSCALL6(pselect6, int, count, fd_set *, reading, fd_set *, writing, fd_set *, exceptional,
	 const struct timespec *, timeout, const struct select_mask *, given)
{
	fd_set *sets[3] = {reading, writing, exceptional}, asked[3], got[3];
	const uint64_t *mask = given ? given->mask : NULL;
	uint64_t deadline, handled = thread_handled();
	if (count < 0 || count > FD_SETSIZE || (mask && given->size != sizeof *mask) ||
	    deadline_of(timeout, &deadline) < 0)
		return -EINVAL;
	size_t bytes = (count + 63) / 64 * 8; /* the caller's sets may be shorter than ours */
	memset(asked, 0, sizeof asked);
	for (int set = 0; set < 3; set++)
		if (sets[set])
			memcpy(&asked[set], sets[set], bytes);
	uint64_t before = mask_for_wait(mask);
	int found;
	while ((found = select_once(count, asked, got)) == 0 && clock_mono() < deadline) {
		wait_for(&any_file, deadline);
		if (thread_handled() != handled) {
			found = -EINTR;
			break;
		}
	}
	mask_after_wait(mask, before);
	for (int set = 0; set < 3 && found >= 0; set++)
		if (sets[set])
			memcpy(sets[set], &got[set], bytes);
	return found;
}
