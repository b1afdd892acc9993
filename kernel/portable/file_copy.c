/* Copying between open files: sendfile and copy_file_range. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

#include "file.h"
#include "kernel.h"

static bool is_regular(int fd)
{
	struct file *file = fd_file(fd);
	return file && file->inode->kind == INODE_FILE;
}

/* From *from of a regular file to *to, or to where out stands if that is NULL. */
static int64_t copy(int in, off_t *from, int out, off_t *to, size_t n)
{
	uint8_t buf[PAGE];
	int64_t total = 0;
	while (n > 0) {
		int64_t got = __mig_sys_pread64(in, (long)buf, n < PAGE ? n : PAGE, *from);
		if (got <= 0)
			return total ? total : got;
		int64_t put = to ? __mig_sys_pwrite64(out, (long)buf, got, *to)
				 : __mig_sys_write(out, (long)buf, got);
		if (put < 0)
			return total ? total : put;
		*from += put;
		if (to)
			*to += put;
		total += put;
		n -= put;
		if (put < got)
			break;
	}
	return total;
}

HOLDS(sendfile, long, long, long, long);
SYSCALL4(sendfile, int, out, int, in, off_t *, from, size_t, n)
{
	if (!fd_file(in) || !fd_file(out))
		return -EBADF;
	if (!is_regular(in))
		return -EINVAL;
	if (from)
		return *from < 0 ? -EINVAL : copy(in, from, out, NULL, n);
	struct file *file = fd_file(in);
	off_t at = file->offset;
	struct hold hold;
	file_hold(&hold, file); /* writing to a pipe waits */
	int64_t done = copy(in, &at, out, NULL, n);
	file->offset = at;
	file_let_go(&hold);
	return done;
}

static bool overlap(off_t a, off_t b, size_t n)
{
	return a < b ? (size_t)(b - a) < n : (size_t)(a - b) < n;
}

SYSCALL6(copy_file_range, int, in, off_t *, from, int, out, off_t *, to, size_t, n, unsigned, flags)
{
	struct file *source = fd_file(in), *target = fd_file(out);
	if (!source || !target || (target->flags & O_APPEND))
		return -EBADF;
	if (flags || !is_regular(in) || !is_regular(out))
		return -EINVAL;
	off_t start = from ? *from : (off_t)source->offset, at = to ? *to : (off_t)target->offset;
	if (start < 0 || at < 0 || (source->inode == target->inode && overlap(start, at, n)))
		return -EINVAL;
	int64_t done = copy(in, &start, out, &at, n);
	if (from)
		*from = start;
	else
		source->offset = start;
	if (to)
		*to = at;
	else
		target->offset = at;
	return done;
}
