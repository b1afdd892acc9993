/* Memory for the program: brk from the bottom of the page allocator's range, mappings from
   its top. Protection cannot be changed: everything is readable and writable. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>

#include "file.h"
#include "kernel.h"

static uint64_t brk_now;

/* Like Linux: returns the break, the old one if it cannot be moved. */
SYSCALL1(brk, uint64_t, want)
{
	if (brk_now == 0)
		brk_now = page_start();
	if (want < page_start())
		return brk_now;
	uint64_t held = PAGES(brk_now) * PAGE, need = PAGES(want) * PAGE;
	if (need < want)
		return brk_now;
	if (need > held && !page_take(held, (need - held) / PAGE))
		return brk_now;
	if (want < brk_now) {
		memset((void *)want, 0, (brk_now < need ? brk_now : need) - want);
		if (need < held)
			page_free_leaving((void *)need, (held - need) / PAGE);
	}
	return brk_now = want;
}

static long map_at(uint64_t addr, uint64_t pages, int flags)
{
	if (!page_ours(addr, pages))
		return -ENOMEM;
	if (!(flags & MAP_FIXED_NOREPLACE))
		page_free_leaving((void *)addr, pages);
	return page_take(addr, pages) ? (long)addr : -EEXIST;
}

SYSCALL6(mmap, uint64_t, addr, size_t, length, int, protection, int, flags, int, fd, off_t, offset)
{
	uint64_t pages = PAGES(length);
	if (length == 0 || offset % PAGE || offset < 0)
		return -EINVAL;
	if (length + PAGE < length)
		return -ENOMEM;
	if (protection & PROT_EXEC)
		return -EACCES; /* portable memory never is */
	bool shared = (flags & MAP_TYPE) != MAP_PRIVATE;
	struct file *file = NULL;
	if (!(flags & MAP_ANONYMOUS)) {
		file = fd_file(fd);
		if (!file)
			return -EBADF;
		/* A mapping is a copy; writes to it cannot reach the file. */
		if (file->inode->kind != INODE_FILE || (shared && (protection & PROT_WRITE)))
			return -ENODEV;
		if ((file->flags & O_ACCMODE) == O_WRONLY)
			return -EACCES;
	}
	long at;
	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		if (addr % PAGE)
			return -EINVAL;
		at = map_at(addr, pages, flags);
		if (at < 0)
			return at;
	} else {
		void *run = page_alloc(pages);
		if (!run)
			return -ENOMEM;
		at = (long)run;
	}
	if (file)
		content_read(&file->inode->content, offset, (void *)at, length);
	return at;
}

SYSCALL2(munmap, uint64_t, addr, size_t, length)
{
	uint64_t pages = PAGES(length);
	if (addr % PAGE || length == 0 || !page_ours(addr, pages))
		return -EINVAL;
	page_free_leaving((void *)addr, pages);
	return 0;
}

SYSCALL5(mremap, uint64_t, addr, size_t, old_length, size_t, length, int, flags, uint64_t, at)
{
	uint64_t old = PAGES(old_length), pages = PAGES(length);
	(void)at;
	if (addr % PAGE || old == 0 || pages == 0 || (flags & ~MREMAP_MAYMOVE))
		return -EINVAL;
	if (length + PAGE < length)
		return -ENOMEM;
	if (!page_ours(addr, old))
		return -EFAULT;
	if (pages <= old) {
		page_free_leaving((void *)(addr + pages * PAGE), old - pages);
		return addr;
	}
	if (page_take(addr + old * PAGE, pages - old))
		return addr;
	void *moved = flags & MREMAP_MAYMOVE ? page_alloc(pages) : NULL;
	if (!moved)
		return -ENOMEM;
	copy_leaving(moved, (void *)addr, old * PAGE);
	page_free_leaving((void *)addr, old);
	return (long)moved;
}

SYSCALL3(mprotect, uint64_t, addr, size_t, length, int, protection)
{
	if (addr % PAGE)
		return -EINVAL;
	(void)length;
	return protection & PROT_EXEC ? -EACCES : 0;
}

SYSCALL3(madvise, uint64_t, addr, size_t, length, int, advice)
{
	uint64_t pages = PAGES(length);
	if (addr % PAGE)
		return -EINVAL;
	if (!page_ours(addr, pages))
		return -ENOMEM;
	if (advice == MADV_DONTNEED || advice == MADV_FREE)
		clear_leaving((void *)addr, pages * PAGE);
	return 0;
}

/* Memory is always there: locking it changes nothing. */
static long locked(uint64_t addr, size_t length)
{
	return page_ours(addr & ~(PAGE - 1), PAGES(addr % PAGE + length)) ? 0 : -ENOMEM;
}

SYSCALL2(mlock, uint64_t, addr, size_t, length) { return locked(addr, length); }
SYSCALL2(munlock, uint64_t, addr, size_t, length) { return locked(addr, length); }
SYSCALL3(mlock2, uint64_t, addr, size_t, length, unsigned, flags)
{
	return flags & ~MLOCK_ONFAULT ? -EINVAL : locked(addr, length);
}
SYSCALL1(mlockall, int, flags)
{
	return flags == 0 || (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) ? -EINVAL : 0;
}
SYSCALL0(munlockall) { return 0; }

SYSCALL3(mincore, uint64_t, addr, size_t, length, unsigned char *, there)
{
	if (addr % PAGE)
		return -EINVAL;
	if (!page_ours(addr, PAGES(length)))
		return -ENOMEM;
	CHECK_POINTER(there);
	memset(there, 1, PAGES(length));
	return 0;
}

SYSCALL3(msync, uint64_t, addr, size_t, length, int, flags)
{
	(void)length, (void)flags; /* nothing writable is shared with a file */
	return addr % PAGE ? -EINVAL : 0;
}
