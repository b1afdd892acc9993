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
	uint32_t shares;         /* shared mappings of it: pages may lie behind its end, too */
	bool tail;               /* a page may have other than zeroes behind the file's end */
};

size_t content_read(const struct content *c, uint64_t offset, void *buf, size_t n);
int64_t content_write(struct content *c, uint64_t offset, const void *buf, size_t n);
int content_resize(struct content *c, uint64_t size);
int content_reserve(struct content *c, uint64_t offset, uint64_t n); /* no holes there */
int content_own(struct content *c, uint64_t slots);      /* nothing borrowed, and room for pages */
uint8_t *content_page(const struct content *c, uint64_t slot); /* NULL: a hole */
/* How many pages from slot on lie side by side, pages at most. */
uint64_t content_run(const struct content *c, uint64_t slot, uint64_t pages);
/* Its pages from slot on are those at an address from now on, which are taken. */
void content_place(struct content *c, uint64_t slot, uint64_t pages, uint8_t *at);

#define PIPE_SIZE 65536u /* bytes: what Linux makes (pipe(7)) */

/* pipe.c: a ring of bytes between those who read and those who write. */
struct pipe {
	uint8_t *ring;             /* PIPE_SIZE bytes, from the first write on */
	uint32_t start, used;      /* bytes */
	uint32_t readers, writers; /* open files */
};

/* event.c: what eventfd makes. */
struct event {
	uint64_t count;
	bool semaphore; /* a read takes one */
};

enum inode_kind { INODE_FILE, INODE_DIR, INODE_LINK, INODE_DEVICE, INODE_PIPE, INODE_EVENT };
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
	uint32_t shared_locks; /* flock.c */
	bool exclusive_lock;
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
		struct pipe pipe;
		struct event event;
	};
};

enum file_lock { FILE_UNLOCKED, FILE_SHARED, FILE_EXCLUSIVE };

/* An open file; descriptors share it after dup. */
struct file {
	struct inode *inode;
	uint32_t users;
	uint32_t flags;  /* O_* */
	enum file_lock lock;
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
void file_release(struct file *file);
int fd_open(struct inode *inode, uint32_t flags, int least);
int fd_open_new(struct inode *inode, uint32_t flags); /* the inode goes if that fails */

/* hold.c: what a system call uses over a wait, in its frame. The call must have a frame of its own,
   see HOLDS: one that a program jumps out of is told by its place from the one that is jumped to. */
struct hold {
	struct file *file;
	struct hold *outer;
};
void file_hold(struct hold *hold, struct file *file);
void file_let_go(struct hold *hold);
void holds_end(const char *frame); /* of the running thread: those of frames below */
#define HOLDS(name, ...) __attribute__((noinline)) long __mig_sys_##name(__VA_ARGS__)

/* pipe.c, event.c: these wait, unless the file is O_NONBLOCK; hold it. */
int64_t pipe_read(const struct file *file, void *buf, size_t n);
int64_t pipe_write(const struct file *file, const void *buf, size_t n);
short pipe_ready(const struct file *file); /* POLL* that hold now */
void pipe_signal(void);                    /* behind a write: SIGPIPE comes before it returns */
size_t pipe_waiting(const struct file *file); /* bytes */
void pipe_opened(const struct file *file);
void pipe_closed(const struct file *file);
void pipe_free(struct inode *inode);
int64_t event_read(const struct file *file, void *buf, size_t n);
int64_t event_write(const struct file *file, const void *buf, size_t n);
short event_ready(const struct file *file);

/* flock.c */
void flock_closed(struct file *file);

/* share.c: shared mappings; numbers are of pages. */
long share_map(struct inode *inode, uint64_t slot, uint64_t pages, uint64_t want); /* want 0: anywhere */
bool share_has(const struct content *c, uint64_t slot);
/* How many pages from addr on are of one shared mapping, or of none; pages at most. */
uint64_t share_span(uint64_t addr, uint64_t pages, bool *shared);
int share_cut(uint64_t addr, uint64_t pages); /* ends it for a span that is shared */
void share_touch(uint64_t addr, uint64_t pages); /* what is mapped there was written to */

/* poll.c: POLL* that hold now. */
short file_ready(const struct file *file);

#endif
