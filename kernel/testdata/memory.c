/* brk and mappings: what is given out is zero, and what is given back too. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>

#include "file.h"
#include "harness.h"
#include "kernel.h"

#define MAP(n) __mig_sys_mmap(0, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)

static bool zero(long addr, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (((uint8_t *)addr)[i])
			return false;
	return true;
}

#define SHARE(at, n, fd, offset) __mig_sys_mmap(at, n, PROT_READ | PROT_WRITE, MAP_SHARED | (at ? MAP_FIXED : 0), fd, offset)

static bool file_has(long fd, long offset, const char *text)
{
	char got[16];
	long n = strlen(text);
	return __mig_sys_pread64(fd, (long)got, n, offset) == n && memcmp(got, text, n) == 0;
}

/* A file and its mapping are one memory, for as long as either is there. */
static void shared(void)
{
	uint64_t free_before = page_count_free();
	long fd = __mig_sys_openat(AT_FDCWD, (long)"/tmp/shared", O_CREAT | O_RDWR, 0600);
	EQUAL(__mig_sys_write(fd, (long)"one", 3), 3);
	EQUAL(__mig_sys_ftruncate(fd, 3 * PAGE), 0);
	long a = SHARE(0, 3 * PAGE, fd, 0);
	CHECK(a > 0 && memcmp((char *)a, "one", 4) == 0);
	memcpy((char *)a + 2 * PAGE, "two", 3);
	CHECK(file_has(fd, 2 * PAGE, "two"));
	EQUAL(__mig_sys_pwrite64(fd, (long)"three", 5, PAGE), 5);
	CHECK(memcmp((char *)a + PAGE, "three", 6) == 0);

	/* Again, a part of it, and farther than the file. */
	long b = SHARE(0, PAGE, fd, PAGE);
	EQUAL(b, a + PAGE);
	long other = MAP(PAGE);
	EQUAL(SHARE(other, PAGE, fd, PAGE), -ENOMEM); /* a page has one address */
	CHECK(page_is_free(other, 1));
	EQUAL(__mig_sys_madvise(a, 3 * PAGE, MADV_DONTNEED), 0);
	CHECK(memcmp((char *)b, "three", 6) == 0);
	EQUAL(__mig_sys_mremap(a, 3 * PAGE, 4 * PAGE, MREMAP_MAYMOVE, 0), -ENOMEM);
	EQUAL(__mig_sys_munmap(a, 3 * PAGE), 0);
	memcpy((char *)b, "THREE", 5); /* is still mapped */
	CHECK(file_has(fd, PAGE, "THREE") && file_has(fd, 2 * PAGE, "two"));

	/* Shrunk below a mapping, and grown again: zeroes, of which both know. */
	EQUAL(__mig_sys_ftruncate(fd, 1), 0);
	CHECK(zero(b, PAGE));
	memcpy((char *)b + 7, "lost", 4);
	EQUAL(__mig_sys_ftruncate(fd, 2 * PAGE), 0);
	CHECK(zero(b, PAGE));
	memcpy((char *)b + 7, "kept", 4);
	CHECK(file_has(fd, PAGE + 7, "kept"));
	EQUAL(__mig_sys_pwrite64(fd, (long)"end", 3, 5 * PAGE), 3);
	CHECK(file_has(fd, PAGE + 7, "kept"));

	/* The file goes, its mapping stays; what is mapped in its middle goes first. */
	EQUAL(__mig_sys_munmap(b, PAGE), 0);
	a = SHARE(0, 6 * PAGE, fd, 0);
	CHECK(a > 0 && memcmp((char *)a + 5 * PAGE, "end", 4) == 0);
	EQUAL(__mig_sys_close(fd), 0);
	EQUAL(__mig_sys_unlinkat(AT_FDCWD, (long)"/tmp/shared", 0), 0);
	EQUAL(__mig_sys_munmap(a + PAGE, 2 * PAGE), 0);
	CHECK(memcmp((char *)a + 5 * PAGE, "end", 4) == 0);
	EQUAL(__mig_sys_munmap(a, 6 * PAGE), 0);

	/* Of what may not be written, and of a device. */
	fd = __mig_sys_openat(AT_FDCWD, (long)"/tmp/shared", O_CREAT | O_RDONLY, 0600);
	EQUAL(SHARE(0, PAGE, fd, 0), -EACCES);
	EQUAL(__mig_sys_close(fd), 0);
	EQUAL(__mig_sys_unlinkat(AT_FDCWD, (long)"/tmp/shared", 0), 0);
	fd = __mig_sys_openat(AT_FDCWD, (long)"/dev/zero", O_RDWR, 0);
	a = SHARE(0, PAGE, fd, 0);
	CHECK(a > 0 && zero(a, PAGE));
	EQUAL(__mig_sys_munmap(a, PAGE), 0);
	EQUAL(__mig_sys_close(fd), 0);
	EQUAL(page_count_free(), free_before);
}

void test(void)
{
	const uint64_t memory = 1 << 20;
	harness_map(memory);
	page_init(MIG_PORTABLE_BASE, MIG_PORTABLE_BASE + memory);
	fs_init();
	uint64_t before = page_count_free();
	long start = __mig_sys_brk(0);
	EQUAL(__mig_sys_brk(start + 10000), start + 10000);
	memset((void *)start, 1, 10000);
	EQUAL(__mig_sys_brk(start + 5000), start + 5000);
	EQUAL(__mig_sys_brk(start + 12000), start + 12000);
	CHECK(zero(start + 5000, 7000));
	EQUAL(__mig_sys_brk(start + (2 << 20)), start + 12000);
	EQUAL(__mig_sys_brk(start), start);
	EQUAL(page_count_free(), before);

	long a = MAP(3 * PAGE), b = MAP(1);
	CHECK(a > 0 && b > 0 && zero(a, 3 * PAGE));
	memset((void *)a, 2, 3 * PAGE);
	EQUAL(__mig_sys_munmap(a + PAGE, PAGE), 0);
	EQUAL(__mig_sys_munmap(a + PAGE, PAGE), 0); /* a hole already */
	EQUAL(MAP(PAGE), a + PAGE);
	CHECK(zero(a + PAGE, PAGE));
	long moved = __mig_sys_mremap(a, 3 * PAGE, 9 * PAGE, MREMAP_MAYMOVE, 0);
	CHECK(moved > 0 && ((uint8_t *)moved)[2 * PAGE] == 2 && zero(moved + 3 * PAGE, 6 * PAGE));
	EQUAL(__mig_sys_mremap(moved, 9 * PAGE, PAGE, 0, 0), moved);
	EQUAL(__mig_sys_madvise(moved, PAGE, MADV_DONTNEED), 0);
	CHECK(zero(moved, PAGE));
	/* Long ranges that may be lost are, for a move to leave them out; a block of malloc's is not. */
	long freed = MAP(33 * PAGE);
	memset((void *)freed, 4, 33 * PAGE);
	EQUAL(__mig_sys_madvise(freed, 32 * PAGE, MADV_FREE), 0);
	CHECK(((uint8_t *)freed)[0] == 4);
	EQUAL(__mig_sys_madvise(freed, 33 * PAGE, MADV_FREE), 0);
	CHECK(zero(freed, 33 * PAGE));
	EQUAL(__mig_sys_munmap(freed, 33 * PAGE), 0);
	EQUAL(__mig_sys_mmap(moved, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0), -EEXIST);
	memset((void *)moved, 3, PAGE);
	EQUAL(__mig_sys_mmap(moved, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), moved);
	CHECK(zero(moved, PAGE));
	EQUAL(__mig_sys_munmap(moved, PAGE), 0);
	EQUAL(__mig_sys_munmap(b, 1), 0);
	EQUAL(page_count_free(), before);

	EQUAL(MAP(0), -EINVAL);
	EQUAL(MAP(2 << 20), -ENOMEM);
	EQUAL(MAP(-1ul), -ENOMEM);
	EQUAL(__mig_sys_mmap(0, PAGE, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), -EACCES);
	EQUAL(__mig_sys_mprotect(start, PAGE, PROT_EXEC), -EACCES);
	EQUAL(__mig_sys_munmap(0x1000, PAGE), -EINVAL);

	long fd = __mig_sys_openat(AT_FDCWD, (long)"/tmp/f", O_CREAT | O_RDWR, 0600);
	EQUAL(__mig_sys_write(fd, (long)"file", 4), 4);
	long m = __mig_sys_mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(m > 0 && memcmp((char *)m, "file\0", 5) == 0);
	EQUAL(__mig_sys_mmap(0, PAGE, PROT_READ, MAP_PRIVATE, 77, 0), -EBADF);
	shared();
}
