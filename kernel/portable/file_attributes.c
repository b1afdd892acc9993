/* Attributes of files: stat and its family, modes, owners, times. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "file.h"
#include "kernel.h"

/* Device numbers as on Linux (Documentation/admin-guide/devices.txt). */
static dev_t device_number(enum device device)
{
	switch (device) {
	case DEV_NULL: return makedev(1, 3);
	case DEV_ZERO: return makedev(1, 5);
	case DEV_RANDOM: return makedev(1, 9);
	case DEV_STDIN: case DEV_STDOUT: case DEV_STDERR: return makedev(5, 1);
	}
	return 0;
}

/* struct stat is what Linux has for riscv64: libc passes it as it is. */
static void fill(struct stat *st, const struct inode *inode)
{
	static const mode_t type[] = {
		[INODE_FILE] = S_IFREG, [INODE_DIR] = S_IFDIR,
		[INODE_LINK] = S_IFLNK, [INODE_DEVICE] = S_IFCHR, [INODE_PIPE] = S_IFIFO,
		[INODE_EVENT] = 0, /* no type, as on Linux */
	};
	memset(st, 0, sizeof *st);
	st->st_dev = makedev(0, 1);
	st->st_ino = inode->number;
	st->st_mode = type[inode->kind] | inode->mode;
	st->st_nlink = inode->links;
	st->st_uid = inode->uid;
	st->st_gid = inode->gid;
	st->st_blksize = PAGE;
	st->st_atim = inode->atime;
	st->st_mtim = inode->mtime;
	st->st_ctim = inode->ctime;
	if (inode->kind == INODE_FILE)
		st->st_size = inode->content.size;
	if (inode->kind == INODE_LINK)
		st->st_size = inode->link.len;
	if (inode->kind == INODE_DEVICE)
		st->st_rdev = device_number(inode->device);
	st->st_blocks = PAGES(st->st_size) * (PAGE / 512);
}

/* What a call with AT_EMPTY_PATH and AT_SYMLINK_NOFOLLOW names. */
static int named(int dirfd, const char *path, int flags, struct inode **inode)
{
	CHECK_POINTER(path);
	if ((flags & AT_EMPTY_PATH) && !*path && dirfd != AT_FDCWD) {
		struct file *file = fd_file(dirfd);
		*inode = file ? file->inode : NULL;
		return file ? 0 : -EBADF;
	}
	return path_inode(dirfd, path, !(flags & AT_SYMLINK_NOFOLLOW), inode);
}

SYSCALL4(newfstatat, int, dirfd, const char *, path, struct stat *, st, int, flags)
{
	struct inode *inode;
	if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT))
		return -EINVAL;
	int err = named(dirfd, path, flags, &inode);
	if (err < 0)
		return err;
	CHECK_POINTER(st);
	fill(st, inode);
	return 0;
}

SYSCALL2(fstat, int, fd, struct stat *, st)
{
	struct file *file = fd_file(fd);
	if (!file)
		return -EBADF;
	CHECK_POINTER(st);
	fill(st, file->inode);
	return 0;
}

SYSCALL4(faccessat2, int, dirfd, const char *, path, int, mode, int, flags)
{
	struct inode *inode;
	if ((mode & ~(R_OK | W_OK | X_OK)) || (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
		return -EINVAL;
	int err = named(dirfd, path, flags, &inode);
	if (err < 0)
		return err;
	/* User 0 may read and write all, and execute what anyone may execute. */
	if ((mode & X_OK) && inode->kind == INODE_FILE && !(inode->mode & 0111))
		return -EACCES;
	return 0;
}

SYSCALL3(faccessat, int, dirfd, const char *, path, int, mode)
{
	return __mig_sys_faccessat2(dirfd, (long)path, mode, 0);
}

static long set_mode(struct inode *inode, uint32_t mode)
{
	inode->mode = mode & 07777;
	inode->ctime = file_time();
	return 0;
}

SYSCALL2(fchmod, int, fd, uint32_t, mode)
{
	struct file *file = fd_file(fd);
	return file ? set_mode(file->inode, mode) : -EBADF;
}

SYSCALL3(fchmodat, int, dirfd, const char *, path, uint32_t, mode)
{
	struct inode *inode;
	int err = path_inode(dirfd, path, true, &inode);
	return err < 0 ? err : set_mode(inode, mode);
}

static long set_owner(struct inode *inode, uint32_t uid, uint32_t gid)
{
	const uint32_t keep = -1;
	if (uid != keep)
		inode->uid = uid;
	if (gid != keep)
		inode->gid = gid;
	inode->ctime = file_time();
	return 0;
}

SYSCALL3(fchown, int, fd, uint32_t, uid, uint32_t, gid)
{
	struct file *file = fd_file(fd);
	return file ? set_owner(file->inode, uid, gid) : -EBADF;
}

SYSCALL5(fchownat, int, dirfd, const char *, path, uint32_t, uid, uint32_t, gid, int, flags)
{
	struct inode *inode;
	if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	int err = named(dirfd, path, flags, &inode);
	return err < 0 ? err : set_owner(inode, uid, gid);
}

static int new_time(struct timespec *to, const struct timespec *from, const struct timespec *now)
{
	if (from->tv_nsec == UTIME_OMIT)
		return 0;
	if (from->tv_nsec != UTIME_NOW && (from->tv_nsec < 0 || from->tv_nsec > 999999999))
		return -EINVAL;
	*to = from->tv_nsec == UTIME_NOW ? *now : *from;
	return 0;
}

SYSCALL4(utimensat, int, dirfd, const char *, path, const struct timespec *, times, int, flags)
{
	struct inode *inode;
	if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	/* futimens: no path, the descriptor itself. */
	int err = path ? named(dirfd, path, flags, &inode) : named(dirfd, "", AT_EMPTY_PATH, &inode);
	if (err < 0)
		return err;
	struct timespec now = file_time(), atime = inode->atime, mtime = inode->mtime;
	static const struct timespec both_now[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
	if (!times)
		times = both_now;
	if (new_time(&atime, &times[0], &now) < 0 || new_time(&mtime, &times[1], &now) < 0)
		return -EINVAL;
	inode->atime = atime;
	inode->mtime = mtime;
	inode->ctime = now;
	return 0;
}
