/* File descriptors. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <sys/ioctl.h>

#include "file.h"
#include "kernel.h"

static struct file *files[FILES_MAX];
static uint64_t close_on_exec[FILES_MAX / 64]; /* kept for whoever asks: nothing is executed */

struct file *fd_file(int fd)
{
	return fd >= 0 && fd < FILES_MAX ? files[fd] : NULL;
}

static void set_close_on_exec(int fd, bool on)
{
	uint64_t bit = 1ull << (fd % 64);
	close_on_exec[fd / 64] = on ? close_on_exec[fd / 64] | bit : close_on_exec[fd / 64] & ~bit;
}

static int lowest_free(int least)
{
	for (int fd = least; fd < FILES_MAX; fd++)
		if (!files[fd])
			return fd;
	return -EMFILE;
}

static void put(int fd, struct file *file, bool cloexec)
{
	files[fd] = file;
	file->users++;
	set_close_on_exec(fd, cloexec);
}

int fd_open(struct inode *inode, uint32_t flags, int least)
{
	int fd = lowest_free(least);
	if (fd < 0)
		return fd;
	struct file *file = kmem_alloc(sizeof *file);
	if (!file)
		return -ENOMEM;
	file->inode = inode;
	file->flags = flags & ~(O_CLOEXEC | O_CREAT | O_EXCL | O_TRUNC | O_NOCTTY);
	inode_hold(inode);
	if (inode->kind == INODE_PIPE)
		pipe_opened(file);
	put(fd, file, flags & O_CLOEXEC);
	return fd;
}

int fd_open_new(struct inode *inode, uint32_t flags)
{
	inode_hold(inode);
	int fd = fd_open(inode, flags, 0);
	inode_release(inode);
	return fd;
}

void file_release(struct file *file)
{
	if (--file->users == 0) {
		flock_closed(file);
		if (file->inode->kind == INODE_PIPE)
			pipe_closed(file);
		inode_release(file->inode);
		kmem_free(file, sizeof *file);
	}
}

static void drop(int fd)
{
	struct file *file = files[fd];
	files[fd] = NULL;
	file_release(file);
}

SYSCALL1(close, int, fd)
{
	if (!fd_file(fd))
		return -EBADF;
	drop(fd);
	return 0;
}

static long duplicate(struct file *file, int least, bool cloexec)
{
	if (least < 0 || least >= FILES_MAX)
		return -EINVAL;
	int fd = lowest_free(least);
	if (fd >= 0)
		put(fd, file, cloexec);
	return fd;
}

SYSCALL1(dup, int, fd)
{
	struct file *file = fd_file(fd);
	return file ? duplicate(file, 0, false) : -EBADF;
}

SYSCALL3(dup3, int, from, int, to, int, flags)
{
	struct file *file = fd_file(from);
	if (from == to || (flags & ~O_CLOEXEC))
		return -EINVAL;
	if (!file || to < 0 || to >= FILES_MAX)
		return -EBADF;
	file->users++; /* not to go away when the other name of it is closed */
	if (files[to])
		drop(to);
	put(to, file, flags & O_CLOEXEC);
	file->users--;
	return to;
}

/* Locks: there is one process, which never conflicts with itself. */
static long lock(int command, struct flock *lock)
{
	CHECK_POINTER(lock);
	if (command == F_GETLK)
		lock->l_type = F_UNLCK;
	return 0;
}

SYSCALL3(fcntl, int, fd, int, command, long, argument)
{
	const uint32_t changeable = O_APPEND | O_NONBLOCK;
	struct file *file = fd_file(fd);
	if (!file)
		return -EBADF;
	switch (command) {
	case F_DUPFD:
		return duplicate(file, argument, false);
	case F_DUPFD_CLOEXEC:
		return duplicate(file, argument, true);
	case F_GETFD:
		return close_on_exec[fd / 64] >> (fd % 64) & 1 ? FD_CLOEXEC : 0;
	case F_SETFD:
		set_close_on_exec(fd, argument & FD_CLOEXEC);
		return 0;
	case F_GETFL:
		return file->flags;
	case F_SETFL:
		file->flags = (file->flags & ~changeable) | (argument & changeable);
		return 0;
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
		return lock(command, (struct flock *)argument);
	case F_GETPIPE_SZ:
	case F_SETPIPE_SZ:
		if (file->inode->kind != INODE_PIPE)
			return -EBADF;
		return command == F_GETPIPE_SZ || argument <= PIPE_SIZE ? PIPE_SIZE : -EPERM;
	}
	return -EINVAL;
}

/* Bytes that can be read without waiting; < 0: it is not a file that could say. */
static int64_t waiting(const struct file *file)
{
	const struct inode *inode = file->inode;
	if (inode->kind == INODE_PIPE)
		return pipe_waiting(file);
	if (inode->kind == INODE_FILE)
		return inode->content.size > file->offset ? inode->content.size - file->offset : 0;
	if (inode->kind == INODE_DEVICE && inode->device == DEV_STDIN)
		return console_waiting();
	return -1;
}

/* The console is no terminal: output is kept by the host, like a pipe's. */
SYSCALL3(ioctl, int, fd, int, request, int *, argument)
{
	struct file *file = fd_file(fd);
	if (!file)
		return -EBADF;
	switch (request) {
	case FIONREAD: {
		int64_t n = waiting(file);
		if (n < 0)
			return -ENOTTY;
		CHECK_POINTER(argument);
		*argument = n < INT_MAX ? n : INT_MAX;
		return 0;
	}
	case FIONBIO:
		CHECK_POINTER(argument);
		file->flags = *argument ? file->flags | O_NONBLOCK : file->flags & ~O_NONBLOCK;
		return 0;
	}
	return -ENOTTY;
}
