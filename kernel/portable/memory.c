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

/* Frees what is the program's own, and ends shared mappings: their pages are the files'. */
static int unmap(uint64_t addr, uint64_t pages)
{
	while (pages) {
		bool shared;
		uint64_t n = share_span(addr, pages, &shared);
		if (!shared)
			page_free_leaving((void *)addr, n);
		else if (share_cut(addr, n) < 0)
			return -ENOMEM;
		addr += n * PAGE;
		pages -= n;
	}
	return 0;
}

/* Makes an address free. */
static long clear_at(uint64_t addr, uint64_t pages, int flags)
{
	if (addr % PAGE)
		return -EINVAL;
	if (!page_ours(addr, pages))
		return -ENOMEM;
	if (flags & MAP_FIXED_NOREPLACE)
		return page_is_free(addr, pages) ? 0 : -EEXIST;
	return unmap(addr, pages);
}

/* A copy of a file, or nothing but memory. addr 0: anywhere. */
static long map_own(const struct file *file, off_t offset, uint64_t addr, size_t length)
{
	uint64_t pages = PAGES(length);
	if (addr ? !page_take(addr, pages) : !(addr = (uint64_t)page_alloc(pages)))
		return -ENOMEM;
	if (file)
		content_read(&file->inode->content, offset, (void *)addr, length);
	return addr;
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
		uint32_t access = file->flags & O_ACCMODE;
		bool zeroes = file->inode->kind == INODE_DEVICE && file->inode->device == DEV_ZERO;
		if (!zeroes && file->inode->kind != INODE_FILE)
			return -ENODEV;
		if (access == O_WRONLY || (shared && (protection & PROT_WRITE) && access != O_RDWR))
			return -EACCES;
		if (zeroes)
			file = NULL;
	}
	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		long err = clear_at(addr, pages, flags);
		if (err)
			return err;
	} else {
		addr = 0;
	}
	if (file)
		file->inode->atime = file_time();
	if (file && shared)
		return share_map(file->inode, offset / PAGE, pages, addr);
	return map_own(file, offset, addr, length);
}

SYSCALL2(munmap, uint64_t, addr, size_t, length)
{
	uint64_t pages = PAGES(length);
	if (addr % PAGE || length == 0 || !page_ours(addr, pages))
		return -EINVAL;
	return unmap(addr, pages);
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
		int err = unmap(addr + pages * PAGE, old - pages);
		return err ? err : (long)addr;
	}
	bool shared;
	if (share_span(addr, old, &shared) < old || shared)
		return -ENOMEM; /* to be unmapped and mapped again */
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

/* What MADV_FREE names may be lost, but need not be. Long ranges are cleared, so that a move leaves them
   out. Short ones are the blocks that malloc gets back, by far most of them to be used again at once. */
#define CLEARED_IF_FREE 33 /* pages; malloc's blocks have 32 at most */

SYSCALL3(madvise, uint64_t, addr, size_t, length, int, advice)
{
	uint64_t pages = PAGES(length);
	if (addr % PAGE)
		return -EINVAL;
	if (!page_ours(addr, pages))
		return -ENOMEM;
	bool clears = advice == MADV_DONTNEED || (advice == MADV_FREE && pages >= CLEARED_IF_FREE);
	while (pages && clears) {
		bool shared;
		uint64_t n = share_span(addr, pages, &shared);
		if (!shared)
			clear_leaving((void *)addr, n * PAGE);
		addr += n * PAGE;
		pages -= n;
	}
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
	if (addr % PAGE || (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) ||
	    (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
		return -EINVAL;
	if (!page_ours(addr, PAGES(length)))
		return -ENOMEM;
	share_touch(addr, PAGES(length)); /* which is the file's memory already */
	return 0;
}
