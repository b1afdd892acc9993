/* Inodes, and directories as lists of entries. */
#include "file.h"
#include "kernel.h"

static uint64_t last_number;

struct timespec file_time(void)
{
	uint64_t ns = clock_real();
	return (struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
}

struct inode *inode_new(enum inode_kind kind, uint32_t mode)
{
	struct inode *inode = kmem_alloc(sizeof *inode);
	if (!inode)
		return NULL;
	inode->kind = kind;
	inode->mode = mode & 07777;
	inode->number = ++last_number;
	inode->atime = inode->mtime = inode->ctime = file_time();
	if (kind == INODE_DIR) {
		inode->links = 1; /* "." */
		inode->dir.parent = inode;
		inode->dir.next_cookie = 3; /* behind "." and ".." */
	}
	return inode;
}

void inode_hold(struct inode *inode)
{
	inode->users++;
}

static void inode_free(struct inode *inode)
{
	struct inode *parent = NULL;
	if (inode->kind == INODE_FILE)
		content_resize(&inode->content, 0);
	if (inode->kind == INODE_PIPE)
		pipe_free(inode);
	if (inode->kind == INODE_LINK)
		kmem_free(inode->link.target, inode->link.len + 1);
	if (inode->kind == INODE_DIR && inode->dir.parent != inode)
		parent = inode->dir.parent;
	kmem_free(inode, sizeof *inode);
	if (parent)
		inode_release(parent);
}

static void free_if_unused(struct inode *inode)
{
	uint32_t own = inode->kind == INODE_DIR; /* a directory's "." is no reason to stay */
	if (inode->users == 0 && inode->links <= own)
		inode_free(inode);
}

void inode_release(struct inode *inode)
{
	inode->users--;
	free_if_unused(inode);
}

void inode_touch(struct inode *inode)
{
	inode->mtime = inode->ctime = file_time();
}

struct entry *dir_find(struct inode *dir, const char *name, size_t len)
{
	for (struct entry *e = dir->dir.entries; e; e = e->next)
		if (e->len == len && memcmp(e->name, name, len) == 0)
			return e;
	return NULL;
}

int dir_add(struct inode *dir, const char *name, size_t len, struct inode *inode)
{
	struct entry *e = kmem_alloc(sizeof *e + len), **last = &dir->dir.entries;
	if (!e)
		return -ENOSPC;
	e->inode = inode;
	e->cookie = dir->dir.next_cookie++;
	e->len = len;
	memcpy(e->name, name, len);
	while (*last)
		last = &(*last)->next;
	*last = e;
	inode->links++;
	inode->ctime = file_time();
	if (inode->kind == INODE_DIR) { /* its ".." */
		inode->dir.parent = dir;
		inode_hold(dir);
		dir->links++;
	}
	inode_touch(dir);
	return 0;
}

void dir_remove(struct inode *dir, struct entry *entry)
{
	struct inode *inode = entry->inode;
	struct entry **at = &dir->dir.entries;
	while (*at != entry)
		at = &(*at)->next;
	*at = entry->next;
	kmem_free(entry, sizeof *entry + entry->len);
	inode_touch(dir);
	inode->ctime = file_time();
	inode->links--;
	if (inode->kind == INODE_DIR) /* still holds its parent, for ".." */
		dir->links--;
	free_if_unused(inode);
}
