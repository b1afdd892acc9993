/* poll and select: on what is always ready, on standard input, and as a sleep. */
#include <fcntl.h>
#include <poll.h>
#include <sys/select.h>

#include "file.h"
#include "harness.h"
#include "kernel.h"

#define NOTHING_UNTIL 5000000

static void pass_time(uint64_t deadline)
{
	EQUAL(deadline, harness_now + NOTHING_UNTIL);
	harness_now = deadline;
}

static void give_input(uint64_t deadline)
{
	(void)deadline;
	harness_input("x", 1);
	MIG_CTL->pending |= MIG_PEND_INPUT;
}

void test(void)
{
	const struct timespec five_ms = {0, NOTHING_UNTIL}, no_time = {0, 0}, bad = {0, -1};
	harness_map(1 << 20);
	page_init(MIG_PORTABLE_BASE, MIG_PORTABLE_BASE + (1 << 20));
	fs_init();
	struct pollfd fds[] = {{0, POLLIN, 0}, {1, POLLOUT, 0}, {-1, POLLIN, 9}, {700, POLLIN, 0}};
	EQUAL(__mig_sys_ppoll((long)fds, 4, 0, 0, 8), 2);
	EQUAL(fds[0].revents, 0);
	EQUAL(fds[1].revents, POLLOUT);
	EQUAL(fds[2].revents, 0);
	EQUAL(fds[3].revents, POLLNVAL);
	EQUAL(__mig_sys_ppoll((long)fds, 1, (long)&no_time, 0, 8), 0);
	EQUAL(__mig_sys_ppoll((long)fds, 1, (long)&bad, 0, 8), -EINVAL);
	harness_wait = pass_time;
	EQUAL(__mig_sys_ppoll((long)fds, 1, (long)&five_ms, 0, 8), 0);
	EQUAL(__mig_sys_pselect6(0, 0, 0, 0, (long)&five_ms, 0), 0);

	fd_set reading, writing;
	FD_ZERO(&reading);
	FD_ZERO(&writing);
	FD_SET(0, &reading);
	EQUAL(__mig_sys_pselect6(1, (long)&reading, 0, 0, (long)&five_ms, 0), 0);
	CHECK(!FD_ISSET(0, &reading));
	FD_SET(0, &reading);
	harness_wait = give_input;
	EQUAL(__mig_sys_pselect6(1, (long)&reading, 0, 0, 0, 0), 1);
	CHECK(FD_ISSET(0, &reading));
	FD_SET(2, &writing);
	EQUAL(__mig_sys_pselect6(3, (long)&reading, (long)&writing, 0, 0, 0), 2);
	FD_SET(9, &writing);
	EQUAL(__mig_sys_pselect6(10, (long)&reading, (long)&writing, 0, 0, 0), -EBADF);
	EQUAL(__mig_sys_ppoll((long)fds, 1, 0, 0, 8), 1);
	EQUAL(fds[0].revents, POLLIN);
}
