/* The file system as a store: room, and advice. Memory is all the storage there is, so
   what a program says of how it will use a file changes nothing. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "file.h"
#include "kernel.h"

#define TMPFS_MAGIC 0x01021994 /* linux/magic.h */

SYSCALL0(sync) { return 0; }

static long known(int fd)
{
	return fd_file(fd) ? 0 : -EBADF;
}

static long synced(int fd)
{
	const struct file *file = fd_file(fd);
	if (!file)
		return -EBADF;
	return file->inode->kind == INODE_FILE || file->inode->kind == INODE_DIR ? 0 : -EINVAL;
}

SYSCALL1(fsync, int, fd) { return synced(fd); }
SYSCALL1(fdatasync, int, fd) { return synced(fd); }
SYSCALL1(syncfs, int, fd) { return known(fd); }

SYSCALL4(sync_file_range, int, fd, off_t, offset, off_t, n, unsigned, flags)
{
	(void)flags;
	return offset < 0 || n < 0 ? -EINVAL : known(fd);
}

/* A file that can be read from its middle. */
static long regular(int fd, int other)
{
	struct file *file = fd_file(fd);
	if (!file)
		return -EBADF;
	return file->inode->kind == INODE_FILE ? 0 : other;
}

SYSCALL3(readahead, int, fd, off_t, offset, size_t, n)
{
	(void)offset, (void)n;
	return regular(fd, -EINVAL);
}

SYSCALL4(fadvise64, int, fd, off_t, offset, off_t, n, int, advice)
{
	(void)offset;
	if (n < 0 || advice < POSIX_FADV_NORMAL || advice > POSIX_FADV_NOREUSE)
		return -EINVAL;
	struct file *file = fd_file(fd);
	if (!file)
		return -EBADF;
	return file->inode->kind == INODE_PIPE ? -ESPIPE : 0;
}

SYSCALL4(fallocate, int, fd, int, mode, off_t, offset, off_t, n)
{
	struct file *file = fd_file(fd);
	uint64_t end;
	if (!file || (file->flags & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	if (offset < 0 || n <= 0)
		return -EINVAL;
	if (mode & ~FALLOC_FL_KEEP_SIZE)
		return -EOPNOTSUPP;
	if (file->inode->kind != INODE_FILE)
		return file->inode->kind == INODE_PIPE ? -ESPIPE : -ENODEV;
	if (__builtin_add_overflow((uint64_t)offset, (uint64_t)n, &end))
		return -EFBIG;
	struct content *c = &file->inode->content;
	int err = content_reserve(c, offset, n);
	if (err == 0 && !(mode & FALLOC_FL_KEEP_SIZE) && end > c->size)
		err = content_resize(c, end);
	if (err == 0)
		inode_touch(file->inode);
	return err;
}

static long store_info(struct statfs *info)
{
	CHECK_POINTER(info);
	memset(info, 0, sizeof *info);
	info->f_type = TMPFS_MAGIC;
	info->f_bsize = info->f_frsize = PAGE;
	info->f_blocks = page_count();
	info->f_bfree = info->f_bavail = page_count_free();
	info->f_namelen = NAME_LIMIT;
	return 0;
}

SYSCALL2(statfs, const char *, path, struct statfs *, info)
{
	struct inode *inode;
	int err = path_inode(AT_FDCWD, path, true, &inode);
	return err < 0 ? err : store_info(info);
}

SYSCALL2(fstatfs, int, fd, struct statfs *, info)
{
	return fd_file(fd) ? store_info(info) : -EBADF;
}

SYSCALL2(memfd_create, const char *, name, unsigned, flags)
{
	CHECK_POINTER(name);
	if (flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING))
		return -EINVAL;
	struct inode *inode = inode_new(INODE_FILE, 0777);
	if (!inode)
		return -ENFILE;
	return fd_open_new(inode, O_RDWR | (flags & MFD_CLOEXEC ? O_CLOEXEC : 0));
}
