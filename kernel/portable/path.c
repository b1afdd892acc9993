/* From paths to inodes. */
#include <fcntl.h>
#include <limits.h>

#include "file.h"
#include "kernel.h"

static struct inode *root, *working;

struct inode *path_root(void)
{
	return root;
}

void path_init(struct inode *first)
{
	root = working = first;
	inode_hold(root);
	inode_hold(working);
}

static int walk(struct inode *dir, const char *path, bool follow, int links, struct place *place);

/* What inode stands for: itself, or where a symbolic link in dir leads. */
static int resolve(struct inode *dir, struct inode *inode, int links, struct inode **to)
{
	if (inode->kind != INODE_LINK) {
		*to = inode;
		return 0;
	}
	struct place place;
	if (links >= LINKS_MAX)
		return -ELOOP;
	int err = walk(dir, inode->link.target, true, links + 1, &place);
	if (err < 0)
		return err;
	*to = place.inode;
	return place.inode ? 0 : -ENOENT;
}

static int walk(struct inode *dir, const char *path, bool follow, int links, struct place *place)
{
	if (!*path)
		return -ENOENT;
	if (*path == '/')
		dir = root;
	*place = (struct place){.inode = dir};
	for (;;) {
		while (*path == '/')
			path++;
		if (!*path)
			return 0;
		size_t len = strcspn(path, "/");
		if (len > NAME_LIMIT)
			return -ENAMETOOLONG;
		if (dir->kind != INODE_DIR)
			return -ENOTDIR;
		const char *rest = path + len + strspn(path + len, "/");
		*place = (struct place){.must_be_dir = path[len] == '/'};
		if (len == 1 && path[0] == '.') {
			place->inode = dir;
		} else if (len == 2 && path[0] == '.' && path[1] == '.') {
			place->inode = dir->dir.parent;
		} else {
			struct entry *e = dir_find(dir, path, len);
			place->dir = dir;
			place->name = path;
			place->len = len;
			place->inode = e ? e->inode : NULL;
		}
		if (!*rest)
			break;
		if (!place->inode)
			return -ENOENT;
		int err = resolve(dir, place->inode, links, &dir);
		if (err < 0)
			return err;
		path = rest;
	}
	if (place->inode && place->inode->kind == INODE_LINK && (follow || place->must_be_dir)) {
		bool must_be_dir = place->must_be_dir;
		if (links >= LINKS_MAX)
			return -ELOOP;
		int err = walk(dir, place->inode->link.target, true, links + 1, place);
		if (err < 0)
			return err;
		place->must_be_dir |= must_be_dir;
	}
	if (place->inode && place->must_be_dir && place->inode->kind != INODE_DIR)
		return -ENOTDIR;
	return 0;
}

int path_find(int dirfd, const char *path, bool follow, struct place *place)
{
	struct inode *dir = working;
	CHECK_POINTER(path);
	if (strnlen(path, PATH_MAX) == PATH_MAX)
		return -ENAMETOOLONG;
	if (*path != '/' && dirfd != AT_FDCWD) {
		struct file *file = fd_file(dirfd);
		if (!file)
			return -EBADF;
		dir = file->inode;
		if (dir->kind != INODE_DIR)
			return -ENOTDIR;
	}
	return walk(dir, path, follow, 0, place);
}

int path_inode(int dirfd, const char *path, bool follow, struct inode **inode)
{
	struct place place;
	int err = path_find(dirfd, path, follow, &place);
	if (err < 0)
		return err;
	*inode = place.inode;
	return place.inode ? 0 : -ENOENT;
}

static long change_to(struct inode *dir)
{
	if (dir->kind != INODE_DIR)
		return -ENOTDIR;
	inode_hold(dir);
	inode_release(working);
	working = dir;
	return 0;
}

SYSCALL1(chdir, const char *, path)
{
	struct inode *inode;
	int err = path_inode(AT_FDCWD, path, true, &inode);
	return err < 0 ? err : change_to(inode);
}

SYSCALL1(fchdir, int, fd)
{
	struct file *file = fd_file(fd);
	return file ? change_to(file->inode) : -EBADF;
}

/* Writes the path from its end, from the working directory upwards. */
SYSCALL2(getcwd, char *, buf, size_t, size)
{
	char path[PATH_MAX];
	size_t at = sizeof path - 1;
	CHECK_POINTER(buf);
	path[at] = 0;
	for (struct inode *dir = working; dir != root; dir = dir->dir.parent) {
		struct entry *e = dir->dir.parent->dir.entries;
		while (e && e->inode != dir)
			e = e->next;
		if (!e)
			return -ENOENT; /* it was removed */
		if (e->len + 1u > at)
			return -ENAMETOOLONG;
		at -= e->len;
		memcpy(path + at, e->name, e->len);
		path[--at] = '/';
	}
	if (!path[at])
		path[--at] = '/';
	size_t n = sizeof path - at;
	if (n > size)
		return -ERANGE;
	memcpy(buf, path + at, n);
	return n;
}
