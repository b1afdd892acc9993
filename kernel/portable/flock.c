/* flock(2): locks between open files, of which a program may have several of one file. */
#define _GNU_SOURCE
#include <sys/file.h>

#include "file.h"
#include "kernel.h"

static bool exist; /* as in pipe.c */

static void unlock(struct file *file)
{
	struct inode *inode = file->inode;
	if (file->lock == FILE_SHARED)
		inode->shared_locks--;
	if (file->lock == FILE_EXCLUSIVE)
		inode->exclusive_lock = false;
	if (file->lock != FILE_UNLOCKED)
		wake_waiters(&inode->exclusive_lock);
	file->lock = FILE_UNLOCKED;
}

void flock_closed(struct file *file)
{
	if (exist)
		unlock(file);
}

/* Whether file can have the lock now. Changing one is no single step (flock(2)). */
static bool take(struct file *file, enum file_lock lock)
{
	struct inode *inode = file->inode;
	unlock(file);
	if (inode->exclusive_lock || (lock == FILE_EXCLUSIVE && inode->shared_locks))
		return false;
	if (lock == FILE_EXCLUSIVE)
		inode->exclusive_lock = true;
	else
		inode->shared_locks++;
	file->lock = lock;
	return true;
}

static long wait_to_take(struct file *file, enum file_lock lock, bool waits)
{
	uint64_t interrupted = thread_interrupted();
	while (!take(file, lock)) {
		if (!waits)
			return -EWOULDBLOCK;
		if (thread_interrupted() != interrupted)
			return -EINTR;
		wait_for(&file->inode->exclusive_lock, FOREVER);
	}
	return 0;
}

HOLDS(flock, long, long);
SYSCALL2(flock, int, fd, int, operation)
{
	struct file *file = fd_file(fd);
	if (!file)
		return -EBADF;
	exist = true;
	switch (operation & ~LOCK_NB) {
	case LOCK_UN:
		unlock(file);
		return 0;
	case LOCK_SH: case LOCK_EX: {
		enum file_lock lock = (operation & LOCK_EX) ? FILE_EXCLUSIVE : FILE_SHARED;
		if (file->lock == lock)
			return 0;
		struct hold hold;
		file_hold(&hold, file);
		long err = wait_to_take(file, lock, !(operation & LOCK_NB));
		file_let_go(&hold);
		return err;
	}
	}
	return -EINVAL;
}
