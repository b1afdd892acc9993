/*
 * The RAM file system: inodes in a tree of directories, open files, and the table of file
 * descriptors. All of it is portable memory. Modes are kept and shown, but user 0 may do
 * anything.
 */
#ifndef MIGRATED_FILE_H
#define MIGRATED_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#define FILES_MAX 1024 /* descriptors */
#define NAME_LIMIT 255 /* bytes: NAME_MAX */
#define LINKS_MAX 40   /* symbolic links in one path, as on Linux */

/* content.c: the bytes of a regular file. Pages that were never written are holes. Until the
   first write they may be bytes of the boot blob, used in place. */
struct content {
	uint64_t size;           /* bytes */
	uint8_t **pages;         /* NULL: a hole */
	uint64_t slots;          /* entries in pages */
	const uint8_t *borrowed; /* if set: the content, size bytes */
};

size_t content_read(const struct content *c, uint64_t offset, void *buf, size_t n);
int64_t content_write(struct content *c, uint64_t offset, const void *buf, size_t n);
int content_resize(struct content *c, uint64_t size);

enum inode_kind { INODE_FILE, INODE_DIR, INODE_LINK, INODE_DEVICE };
enum device { DEV_NULL, DEV_ZERO, DEV_RANDOM, DEV_STDIN, DEV_STDOUT, DEV_STDERR };

struct entry {
	struct entry *next;
	struct inode *inode;
	uint64_t cookie; /* place in the directory, for getdents */
	uint16_t len;
	char name[];
};

struct inode {
	enum inode_kind kind;
	uint32_t mode;       /* permission bits */
	uint32_t links;      /* names */
	uint32_t users;      /* open files, working directory, subdirectories */
	uint32_t uid, gid;
	uint64_t number;
	struct timespec atime, mtime, ctime;
	union {
		struct content content;
		struct {
			struct entry *entries; /* in order of cookie */
			struct inode *parent;  /* its own for the root */
			uint64_t next_cookie;
		} dir;
		struct {
			char *target; /* NUL behind it */
			size_t len;
		} link;
		enum device device;
	};
};

/* An open file; descriptors share it after dup. */
struct file {
	struct inode *inode;
	uint32_t users;
	uint32_t flags;  /* O_* */
	uint64_t offset; /* bytes; of a directory, the cookie of the next entry */
};

/* inode.c */
struct inode *inode_new(enum inode_kind kind, uint32_t mode); /* NULL: no memory */
void inode_hold(struct inode *inode);
void inode_release(struct inode *inode); /* frees it when nothing refers to it */
void inode_touch(struct inode *inode);   /* content changed now */
struct timespec file_time(void);
struct entry *dir_find(struct inode *dir, const char *name, size_t len);
int dir_add(struct inode *dir, const char *name, size_t len, struct inode *inode);
void dir_remove(struct inode *dir, struct entry *entry);

/* path.c */
struct place {
	struct inode *dir;   /* that would hold the name; NULL: the path is a directory's "/" or dots */
	const char *name;    /* len bytes, no NUL behind them */
	size_t len;
	struct inode *inode; /* what is there, or NULL */
	bool must_be_dir;    /* the path ended in a slash */
};
int path_find(int dirfd, const char *path, bool follow, struct place *place);
/* The same for something that has to exist. */
int path_inode(int dirfd, const char *path, bool follow, struct inode **inode);
struct inode *path_root(void);
void path_init(struct inode *root);

/* fd.c */
struct file *fd_file(int fd); /* NULL: EBADF */
void file_hold(struct file *file); /* over a wait: another thread may close it */
void file_release(struct file *file);
int fd_open(struct inode *inode, uint32_t flags, int least);

#endif
