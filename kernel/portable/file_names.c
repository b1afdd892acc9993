/* Making, finding, renaming and removing names. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>

#include "file.h"
#include "kernel.h"

/* A new inode at place, which is known to be free. */
static int create(const struct place *place, enum inode_kind kind, uint32_t mode,
		  struct inode **made)
{
	if (!place->dir)
		return -EEXIST;
	if (place->dir->links <= 1 && place->dir != path_root())
		return -ENOENT; /* the directory itself was removed */
	struct inode *inode = inode_new(kind, mode);
	if (!inode)
		return -ENOSPC;
	inode_hold(inode);
	int err = dir_add(place->dir, place->name, place->len, inode);
	inode->users -= err == 0;
	if (err < 0)
		inode_release(inode);
	*made = inode;
	return err;
}

static int open_made(const struct place *place, uint32_t flags, uint32_t mode, struct inode **inode)
{
	if (!(flags & O_CREAT))
		return -ENOENT;
	if (place->must_be_dir)
		return -EISDIR;
	return create(place, INODE_FILE, mode & ~process_umask(), inode);
}

static int open_found(uint32_t flags, struct inode *inode)
{
	bool writes = (flags & O_ACCMODE) != O_RDONLY;
	if ((flags & O_CREAT) && (flags & O_EXCL))
		return -EEXIST;
	if (inode->kind == INODE_LINK)
		return -ELOOP; /* O_NOFOLLOW */
	if (inode->kind == INODE_DIR && (writes || (flags & O_CREAT)))
		return -EISDIR;
	if (inode->kind != INODE_DIR && (flags & O_DIRECTORY))
		return -ENOTDIR;
	return 0;
}

SYSCALL4(openat, int, dirfd, const char *, path, uint32_t, flags, uint32_t, mode)
{
	struct place place;
	if ((flags & O_TMPFILE) == O_TMPFILE)
		return -EOPNOTSUPP;
	bool follow = !(flags & O_NOFOLLOW) && !((flags & O_CREAT) && (flags & O_EXCL));
	int err = path_find(dirfd, path, follow, &place);
	if (err < 0)
		return err;
	bool found = place.inode;
	err = found ? open_found(flags, place.inode) : open_made(&place, flags, mode, &place.inode);
	if (err < 0)
		return err;
	int fd = fd_open(place.inode, flags, 0);
	if (fd >= 0 && found && (flags & O_TRUNC) && place.inode->kind == INODE_FILE &&
	    (flags & O_ACCMODE) != O_RDONLY) {
		content_resize(&place.inode->content, 0);
		inode_touch(place.inode);
	}
	return fd;
}

/* Finds the place of a name that is to be new. */
static int find_new(int dirfd, const char *path, struct place *place)
{
	int err = path_find(dirfd, path, false, place);
	return err == 0 && place->inode ? -EEXIST : err;
}

/* Of what mknod can make there are regular files. */
SYSCALL4(mknodat, int, dirfd, const char *, path, uint32_t, mode, uint64_t, device)
{
	struct place place;
	(void)device;
	int err = find_new(dirfd, path, &place);
	if (err < 0)
		return err;
	if (place.must_be_dir)
		return -ENOENT;
	if ((mode & S_IFMT) != S_IFREG && (mode & S_IFMT) != 0)
		return -EPERM;
	return create(&place, INODE_FILE, mode & ~process_umask(), &place.inode);
}

SYSCALL3(mkdirat, int, dirfd, const char *, path, uint32_t, mode)
{
	struct place place;
	int err = find_new(dirfd, path, &place);
	if (err < 0)
		return err;
	return create(&place, INODE_DIR, mode & ~process_umask(), &place.inode);
}

SYSCALL3(symlinkat, const char *, target, int, dirfd, const char *, path)
{
	struct place place;
	CHECK_POINTER(target);
	size_t len = strnlen(target, PATH_MAX);
	if (len == 0)
		return -ENOENT;
	if (len == PATH_MAX)
		return -ENAMETOOLONG;
	int err = find_new(dirfd, path, &place);
	if (err < 0)
		return err;
	if (place.must_be_dir)
		return -ENOENT;
	char *copy = kmem_alloc(len + 1);
	if (!copy)
		return -ENOSPC;
	memcpy(copy, target, len);
	err = create(&place, INODE_LINK, 0777, &place.inode);
	if (err < 0) {
		kmem_free(copy, len + 1);
		return err;
	}
	place.inode->link.target = copy;
	place.inode->link.len = len;
	return 0;
}

SYSCALL5(linkat, int, old_fd, const char *, old_path, int, fd, const char *, path, int, flags)
{
	struct inode *inode;
	struct place place;
	if (flags & ~AT_SYMLINK_FOLLOW)
		return -EINVAL;
	int err = path_inode(old_fd, old_path, flags & AT_SYMLINK_FOLLOW, &inode);
	if (err < 0)
		return err;
	err = path_find(fd, path, false, &place);
	if (err < 0)
		return err;
	if (place.inode)
		return -EEXIST;
	if (inode->kind == INODE_DIR)
		return -EPERM;
	if (place.must_be_dir)
		return -ENOENT;
	return dir_add(place.dir, place.name, place.len, inode);
}

SYSCALL3(unlinkat, int, dirfd, const char *, path, int, flags)
{
	struct place place;
	if (flags & ~AT_REMOVEDIR)
		return -EINVAL;
	int err = path_find(dirfd, path, false, &place);
	if (err < 0)
		return err;
	struct inode *inode = place.inode;
	if (!inode)
		return -ENOENT;
	if (inode == path_root())
		return -EBUSY;
	if (flags & AT_REMOVEDIR) {
		if (inode->kind != INODE_DIR)
			return -ENOTDIR;
		if (!place.dir) /* the path ended in a dot or two */
			return -EINVAL;
		if (inode->dir.entries)
			return -ENOTEMPTY;
	} else if (inode->kind == INODE_DIR) {
		return -EISDIR;
	}
	dir_remove(place.dir, dir_find(place.dir, place.name, place.len));
	return 0;
}

static bool is_within(const struct inode *dir, const struct inode *tree)
{
	for (; dir != tree; dir = dir->dir.parent)
		if (dir == dir->dir.parent)
			return false;
	return true;
}

/* May what is at from replace what is at to? */
static int may_replace(const struct inode *from, const struct inode *to)
{
	if (from->kind == INODE_DIR) {
		if (to->kind != INODE_DIR)
			return -ENOTDIR;
		return to->dir.entries ? -ENOTEMPTY : 0;
	}
	return to->kind == INODE_DIR ? -EISDIR : 0;
}

SYSCALL5(renameat2, int, old_fd, const char *, old_path, int, fd, const char *, path, unsigned, flags)
{
	enum { NOREPLACE = 1 };
	struct place from, to;
	if (flags & ~NOREPLACE)
		return -EINVAL;
	int err = path_find(old_fd, old_path, false, &from);
	if (err == 0)
		err = path_find(fd, path, false, &to);
	if (err < 0)
		return err;
	if (!from.inode)
		return -ENOENT;
	if (!from.dir || !to.dir)
		return -EBUSY; /* the root, or a dot */
	if (to.inode && (flags & NOREPLACE))
		return -EEXIST;
	if (from.inode->kind != INODE_DIR && to.must_be_dir)
		return -ENOTDIR;
	if (from.inode == to.inode)
		return 0;
	if (from.inode->kind == INODE_DIR && is_within(to.dir, from.inode))
		return -EINVAL;
	if (to.inode && (err = may_replace(from.inode, to.inode)) < 0)
		return err;
	struct entry *old = dir_find(from.dir, from.name, from.len);
	struct entry *replaced = dir_find(to.dir, to.name, to.len);
	struct inode *inode = from.inode, *parent = inode->kind == INODE_DIR ? inode->dir.parent : NULL;
	inode_hold(inode); /* between its two names */
	err = dir_add(to.dir, to.name, to.len, inode);
	if (err == 0) {
		if (replaced)
			dir_remove(to.dir, replaced);
		dir_remove(from.dir, old);
		if (parent) /* dir_add took the new parent; the old one is let go */
			inode_release(parent);
	}
	inode_release(inode);
	return err;
}

SYSCALL4(renameat, int, old_fd, const char *, old_path, int, fd, const char *, path)
{
	return __mig_sys_renameat2(old_fd, (long)old_path, fd, (long)path, 0);
}

SYSCALL4(readlinkat, int, dirfd, const char *, path, char *, buf, size_t, size)
{
	struct inode *inode;
	if ((ssize_t)size <= 0)
		return -EINVAL;
	int err = path_inode(dirfd, path, false, &inode);
	if (err < 0)
		return err;
	if (inode->kind != INODE_LINK)
		return -EINVAL;
	CHECK_POINTER(buf);
	if (size > inode->link.len)
		size = inode->link.len;
	memcpy(buf, inode->link.target, size);
	return size;
}

static unsigned char type_of(const struct inode *inode)
{
	switch (inode->kind) {
	case INODE_FILE: return DT_REG;
	case INODE_DIR: return DT_DIR;
	case INODE_LINK: return DT_LNK;
	case INODE_DEVICE: return DT_CHR;
	case INODE_PIPE: case INODE_EVENT: break; /* have no names */
	}
	return DT_UNKNOWN;
}

/* Puts one entry at *used, if it fits. next: the cookie from which to go on. */
static bool put_entry(uint8_t *buf, size_t size, size_t *used, const struct inode *inode,
		      const char *name, size_t len, uint64_t next)
{
	size_t fixed = offsetof(struct dirent, d_name);
	size_t bytes = (fixed + len + 1 + 7) & ~7ul;
	if (size - *used < bytes)
		return false;
	struct dirent *d = (struct dirent *)(buf + *used);
	memset(d, 0, bytes);
	d->d_ino = inode->number;
	d->d_off = next;
	d->d_reclen = bytes;
	d->d_type = type_of(inode);
	memcpy(d->d_name, name, len);
	*used += bytes;
	return true;
}

SYSCALL3(getdents64, int, fd, void *, buf, size_t, size)
{
	struct file *file = fd_file(fd);
	if (!file)
		return -EBADF;
	struct inode *dir = file->inode;
	if (dir->kind != INODE_DIR)
		return -ENOTDIR;
	CHECK_POINTER(buf);
	size_t used = 0;
	bool more = true;
	if (file->offset < 1 && (more = put_entry(buf, size, &used, dir, ".", 1, 1)))
		file->offset = 1;
	if (more && file->offset < 2 &&
	    (more = put_entry(buf, size, &used, dir->dir.parent, "..", 2, 2)))
		file->offset = 2;
	for (struct entry *e = dir->dir.entries; more && e; e = e->next) {
		if (e->cookie <= file->offset)
			continue;
		more = put_entry(buf, size, &used, e->inode, e->name, e->len, e->cookie);
		if (more)
			file->offset = e->cookie;
	}
	return used || more ? (long)used : -EINVAL;
}
