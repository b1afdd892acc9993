/* Reading and writing open files. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include "file.h"
#include "kernel.h"

/* Linux moves at most this much at once (MAX_RW_COUNT). */
#define MOST 0x7ffff000ul

static bool readable(const struct file *file)
{
	return (file->flags & O_ACCMODE) != O_WRONLY;
}

static bool writable(const struct file *file)
{
	return (file->flags & O_ACCMODE) != O_RDONLY;
}

static int64_t device_read(const struct file *file, void *buf, size_t n)
{
	switch (file->inode->device) {
	case DEV_ZERO:
		memset(buf, 0, n);
		return n;
	case DEV_RANDOM:
		random_bytes(buf, n);
		return n;
	case DEV_STDIN:
		if ((file->flags & O_NONBLOCK) && !console_readable())
			return -EAGAIN;
		return console_read(buf, n);
	case DEV_NULL: case DEV_STDOUT: case DEV_STDERR:
		break;
	}
	return 0;
}

static int64_t device_write(const struct file *file, const void *buf, size_t n)
{
	switch (file->inode->device) {
	case DEV_STDOUT:
		console_write(MIG_STREAM_STDOUT, buf, n);
		break;
	case DEV_STDERR:
		console_write(MIG_STREAM_STDERR, buf, n);
		break;
	case DEV_STDIN:
		return -EBADF;
	case DEV_NULL: case DEV_ZERO: case DEV_RANDOM:
		break;
	}
	return n;
}

static int64_t read_at(struct file *file, uint64_t offset, void *buf, size_t n)
{
	if (!readable(file))
		return -EBADF;
	if (n == 0)
		return 0;
	CHECK_POINTER(buf);
	if (n > MOST)
		n = MOST;
	switch (file->inode->kind) {
	case INODE_FILE: return content_read(&file->inode->content, offset, buf, n);
	case INODE_DEVICE: return device_read(file, buf, n);
	case INODE_PIPE: return pipe_read(file, buf, n);
	case INODE_EVENT: return event_read(file, buf, n);
	case INODE_DIR: return -EISDIR;
	case INODE_LINK: break;
	}
	return -EINVAL;
}

static int64_t write_at(struct file *file, uint64_t offset, const void *buf, size_t n)
{
	if (!writable(file))
		return -EBADF;
	if (n == 0)
		return 0;
	CHECK_POINTER(buf);
	if (n > MOST)
		n = MOST;
	switch (file->inode->kind) {
	case INODE_DEVICE: return device_write(file, buf, n);
	case INODE_PIPE: return pipe_write(file, buf, n);
	case INODE_EVENT: return event_write(file, buf, n);
	case INODE_DIR: case INODE_LINK: return -EINVAL;
	case INODE_FILE: break;
	}
	int64_t done = content_write(&file->inode->content, offset, buf, n);
	if (done > 0)
		inode_touch(file->inode);
	return done;
}

static int64_t read_on(struct file *file, void *buf, size_t n)
{
	int64_t done = read_at(file, file->offset, buf, n);
	if (done > 0 && file->inode->kind == INODE_FILE)
		file->offset += done;
	return done;
}

static int64_t write_on(struct file *file, const void *buf, size_t n)
{
	if (file->inode->kind != INODE_FILE)
		return write_at(file, 0, buf, n);
	if (file->flags & O_APPEND)
		file->offset = file->inode->content.size;
	int64_t done = write_at(file, file->offset, buf, n);
	if (done > 0)
		file->offset += done;
	return done;
}

HOLDS(read, long, long, long);
SYSCALL3(read, int, fd, void *, buf, size_t, n)
{
	struct file *file = fd_file(fd);
	if (!file)
		return -EBADF;
	struct hold hold;
	file_hold(&hold, file);
	int64_t done = read_on(file, buf, n);
	file_let_go(&hold);
	return done;
}

/* Ends a call that has held a file. */
static long written(struct hold *hold, int64_t done)
{
	file_let_go(hold);
	pipe_signal();
	return done;
}

HOLDS(write, long, long, long);
SYSCALL3(write, int, fd, const void *, buf, size_t, n)
{
	struct file *file = fd_file(fd);
	if (!file)
		return -EBADF;
	struct hold hold;
	file_hold(&hold, file);
	return written(&hold, write_on(file, buf, n));
}

static bool positioned(const struct file *file)
{
	return file->inode->kind == INODE_FILE || file->inode->kind == INODE_DIR;
}

SYSCALL4(pread64, int, fd, void *, buf, size_t, n, off_t, offset)
{
	struct file *file = fd_file(fd);
	if (!file)
		return -EBADF;
	if (offset < 0)
		return -EINVAL;
	return positioned(file) ? read_at(file, offset, buf, n) : -ESPIPE;
}

SYSCALL4(pwrite64, int, fd, const void *, buf, size_t, n, off_t, offset)
{
	struct file *file = fd_file(fd);
	if (!file)
		return -EBADF;
	if (offset < 0)
		return -EINVAL;
	return positioned(file) ? write_at(file, offset, buf, n) : -ESPIPE;
}

enum direction { IN, OUT };

/* Bytes of all parts; false: too many (readv(2)). */
static bool total_of(const struct iovec *parts, int count, size_t *total)
{
	*total = 0;
	for (int i = 0; i < count; i++)
		if (__builtin_add_overflow(*total, parts[i].iov_len, total))
			return false;
	return *total <= SSIZE_MAX;
}

/* What a pipe takes as one is put into one piece. */
__attribute__((noinline)) static int64_t write_gathered(struct file *file, const struct iovec *parts, int count)
{
	uint8_t all[PIPE_BUF];
	size_t n = 0;
	for (int i = 0; i < count; i++) {
		if (parts[i].iov_len)
			memcpy(all + n, parts[i].iov_base, parts[i].iov_len);
		n += parts[i].iov_len;
	}
	return write_on(file, all, n);
}

/* One part after the other, up to the first that is cut short. offset < 0: from where the
   file stands, moving it. */
static int64_t vector(struct file *file, const struct iovec *parts, int count, off_t offset,
		      enum direction direction)
{
	int64_t total = 0;
	size_t n;
	if (!file)
		return -EBADF;
	if (count < 0 || count > IOV_MAX || !total_of(parts, count, &n))
		return -EINVAL;
	if (direction == OUT && file->inode->kind == INODE_PIPE && n <= PIPE_BUF)
		return write_gathered(file, parts, count);
	for (int i = 0; i < count; i++) {
		void *buf = parts[i].iov_base;
		n = parts[i].iov_len;
		if (n == 0)
			continue;
		if (total && direction == IN && !(file_ready(file) & (POLLIN | POLLHUP)))
			break; /* what has been read is not to wait for more */
		int64_t done;
		if (offset < 0)
			done = direction == IN ? read_on(file, buf, n) : write_on(file, buf, n);
		else
			done = direction == IN ? read_at(file, offset + total, buf, n)
					       : write_at(file, offset + total, buf, n);
		if (done < 0)
			return total ? total : done;
		total += done;
		if ((size_t)done < n)
			break;
	}
	return total;
}

HOLDS(readv, long, long, long);
SYSCALL3(readv, int, fd, const struct iovec *, parts, int, count)
{
	struct file *file = fd_file(fd);
	if (!file)
		return -EBADF;
	struct hold hold;
	file_hold(&hold, file);
	int64_t done = vector(file, parts, count, -1, IN);
	file_let_go(&hold);
	return done;
}

HOLDS(writev, long, long, long);
SYSCALL3(writev, int, fd, const struct iovec *, parts, int, count)
{
	struct file *file = fd_file(fd);
	if (!file)
		return -EBADF;
	struct hold hold;
	file_hold(&hold, file);
	return written(&hold, vector(file, parts, count, -1, OUT));
}

SYSCALL4(preadv, int, fd, const struct iovec *, parts, int, count, off_t, offset)
{
	return offset < 0 ? -EINVAL : vector(fd_file(fd), parts, count, offset, IN);
}

SYSCALL4(pwritev, int, fd, const struct iovec *, parts, int, count, off_t, offset)
{
	return offset < 0 ? -EINVAL : vector(fd_file(fd), parts, count, offset, OUT);
}

SYSCALL3(lseek, int, fd, off_t, offset, int, whence)
{
	struct file *file = fd_file(fd);
	if (!file)
		return -EBADF;
	if (!positioned(file))
		return -ESPIPE;
	int64_t size = file->inode->kind == INODE_FILE ? (int64_t)file->inode->content.size : 0;
	int64_t base;
	switch (whence) {
	case SEEK_SET: base = 0; break;
	case SEEK_CUR: base = file->offset; break;
	case SEEK_END: base = size; break;
	case SEEK_DATA: /* everything up to the end counts as data */
	case SEEK_HOLE:
		if (offset < 0 || offset >= size)
			return -ENXIO;
		file->offset = whence == SEEK_DATA ? offset : size;
		return file->offset;
	default: return -EINVAL;
	}
	int64_t to;
	if (__builtin_add_overflow(base, (int64_t)offset, &to))
		return -EOVERFLOW;
	if (to < 0)
		return -EINVAL;
	return file->offset = to;
}

static long resize(struct inode *inode, off_t size)
{
	if (size < 0)
		return -EINVAL;
	if (inode->kind == INODE_DIR)
		return -EISDIR;
	if (inode->kind != INODE_FILE)
		return -EINVAL;
	int err = content_resize(&inode->content, size);
	if (err == 0)
		inode_touch(inode);
	return err;
}

SYSCALL2(truncate, const char *, path, off_t, size)
{
	struct inode *inode;
	int err = path_inode(AT_FDCWD, path, true, &inode);
	return err < 0 ? err : resize(inode, size);
}

SYSCALL2(ftruncate, int, fd, off_t, size)
{
	struct file *file = fd_file(fd);
	if (!file)
		return -EBADF;
	return writable(file) ? resize(file->inode, size) : -EINVAL;
}
