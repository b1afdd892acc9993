/* The first files: devices, /tmp, the standard descriptors, and what the host gave. */
#include <fcntl.h>

#include "blob.h"
#include "file.h"
#include "kernel.h"

static struct inode *add(const char *path, size_t len, enum inode_kind kind, uint32_t mode);

/* The directory at the path's first len bytes, made where it is missing. */
static struct inode *directory(const char *path, size_t len)
{
	while (len && path[len - 1] == '/')
		len--;
	return len ? add(path, len, INODE_DIR, 0755) : path_root();
}

/* Makes the inode at an absolute path, and the directories above it. NULL: the path leads
   through a file, or nowhere. */
static struct inode *add(const char *path, size_t len, enum inode_kind kind, uint32_t mode)
{
	size_t slash = len;
	while (slash && path[slash - 1] != '/')
		slash--;
	struct inode *dir = directory(path, slash);
	if (!dir || dir->kind != INODE_DIR || len == slash || len - slash > NAME_LIMIT)
		return NULL;
	struct entry *there = dir_find(dir, path + slash, len - slash);
	if (there)
		return there->inode;
	struct inode *inode = inode_new(kind, mode);
	if (!inode || dir_add(dir, path + slash, len - slash, inode) < 0)
		panic_out_of_memory("no memory for the file system");
	return inode;
}

static struct inode *add_device(const char *path, enum device device, uint32_t mode)
{
	struct inode *inode = add(path, strlen(path), INODE_DEVICE, mode);
	inode->device = device;
	return inode;
}

void fs_init(void)
{
	struct inode *root = inode_new(INODE_DIR, 0755);
	if (!root)
		panic_out_of_memory("no memory for the file system");
	root->links++; /* has no name that could be removed */
	path_init(root);
	add("/tmp", 4, INODE_DIR, 01777);
	add("/dev/shm", 8, INODE_DIR, 01777);
	add_device("/dev/null", DEV_NULL, 0666);
	add_device("/dev/zero", DEV_ZERO, 0666);
	add_device("/dev/random", DEV_RANDOM, 0666);
	add_device("/dev/urandom", DEV_RANDOM, 0666);
	fd_open(add_device("/dev/stdin", DEV_STDIN, 0600), O_RDONLY, 0);
	fd_open(add_device("/dev/stdout", DEV_STDOUT, 0600), O_WRONLY, 1);
	fd_open(add_device("/dev/stderr", DEV_STDERR, 0600), O_WRONLY, 2);
}

/* "." and ".." would be names that no path can reach. */
static bool has_dots(const char *path, size_t len)
{
	for (size_t at = 0; at < len;) {
		size_t n = 0;
		while (at + n < len && path[at + n] != '/')
			n++;
		if ((n == 1 && path[at] == '.') || (n == 2 && path[at] == '.' && path[at + 1] == '.'))
			return true;
		at += n + 1;
	}
	return false;
}

bool fs_unpack(const uint8_t *list, const uint8_t *end)
{
	struct blob b = {list, end};
	uint32_t files;
	if (!blob_u32(&b, &files))
		return false;
	for (uint32_t i = 0; i < files; i++) {
		uint32_t mode, len;
		uint64_t size, mtime;
		const char *path;
		const uint8_t *data;
		if (!blob_u32(&b, &mode) || !blob_u64(&b, &size) || !blob_u64(&b, &mtime) ||
		    !blob_string(&b, &path, &len) || !(data = blob_bytes(&b, size)))
			return false;
		if (len == 0 || path[0] != '/' || has_dots(path, len))
			return false;
		struct inode *inode = add(path, len, INODE_FILE, mode);
		if (!inode || inode->kind != INODE_FILE)
			return false;
		inode->content = (struct content){.size = size, .borrowed = size ? data : NULL};
		inode->mode = mode & 07777;
		inode->mtime.tv_sec = (int64_t)mtime / 1000000000;
		inode->mtime.tv_nsec = (int64_t)mtime % 1000000000;
		if (inode->mtime.tv_nsec < 0) { /* before 1970 */
			inode->mtime.tv_sec--;
			inode->mtime.tv_nsec += 1000000000;
		}
	}
	return true;
}
