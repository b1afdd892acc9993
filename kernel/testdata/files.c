/* The file system through its system calls. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "file.h"
#include "harness.h"
#include "kernel.h"

#define OPEN(path, flags) __mig_sys_openat(AT_FDCWD, (long)(path), flags, 0666)
#define CLOSE(fd) EQUAL(__mig_sys_close(fd), 0)
#define WRITE(fd, s) __mig_sys_write(fd, (long)(s), sizeof(s) - 1)
#define MKDIR(path) __mig_sys_mkdirat(AT_FDCWD, (long)(path), 0777)
#define UNLINK(path) __mig_sys_unlinkat(AT_FDCWD, (long)(path), 0)
#define RMDIR(path) __mig_sys_unlinkat(AT_FDCWD, (long)(path), AT_REMOVEDIR)
#define RENAME(a, b) __mig_sys_renameat2(AT_FDCWD, (long)(a), AT_FDCWD, (long)(b), 0)
#define SYMLINK(a, b) __mig_sys_symlinkat((long)(a), AT_FDCWD, (long)(b))
#define STAT(path, st) __mig_sys_newfstatat(AT_FDCWD, (long)(path), (long)(st), 0)

static char buf[1 << 16];

static const char *content(const char *path)
{
	long fd = OPEN(path, O_RDONLY);
	CHECK(fd >= 0);
	long n = __mig_sys_read(fd, (long)buf, sizeof buf - 1);
	CHECK(n >= 0);
	buf[n] = 0;
	CLOSE(fd);
	return buf;
}

static void put(const char *path, const char *s)
{
	long fd = OPEN(path, O_CREAT | O_WRONLY | O_TRUNC);
	CHECK(fd >= 0);
	EQUAL(__mig_sys_write(fd, (long)s, strlen(s)), strlen(s));
	CLOSE(fd);
}

static void reading_and_writing(void)
{
	struct stat st;
	long fd = OPEN("/tmp/a", O_CREAT | O_RDWR | O_EXCL);
	EQUAL(fd, 3);
	EQUAL(OPEN("/tmp/a", O_CREAT | O_RDWR | O_EXCL), -EEXIST);
	EQUAL(WRITE(fd, "hello world"), 11);
	EQUAL(__mig_sys_lseek(fd, -5, SEEK_CUR), 6);
	EQUAL(__mig_sys_read(fd, (long)buf, 100), 5);
	CHECK(memcmp(buf, "world", 5) == 0);
	EQUAL(__mig_sys_read(fd, (long)buf, 100), 0);
	EQUAL(__mig_sys_pwrite64(fd, (long)"far", 3, 20000), 3);
	EQUAL(__mig_sys_pread64(fd, (long)buf, 8, 19998), 5);
	CHECK(memcmp(buf, "\0\0far", 5) == 0);
	EQUAL(__mig_sys_fstat(fd, (long)&st), 0);
	EQUAL(st.st_size, 20003);
	EQUAL(st.st_mode, S_IFREG | 0644);
	EQUAL(__mig_sys_ftruncate(fd, 7), 0);
	EQUAL(__mig_sys_ftruncate(fd, 30), 0);
	EQUAL(__mig_sys_pread64(fd, (long)buf, 100, 0), 30);
	CHECK(memcmp(buf, "hello w\0\0\0\0\0\0\0\0", 15) == 0);
	EQUAL(__mig_sys_lseek(fd, -1, SEEK_SET), -EINVAL);
	EQUAL(__mig_sys_pread64(fd, (long)buf, 1, -1), -EINVAL);
	struct iovec parts[3] = {{"ab", 2}, {NULL, 0}, {"cde", 3}};
	EQUAL(__mig_sys_lseek(fd, 0, SEEK_END), 30);
	EQUAL(__mig_sys_writev(fd, (long)parts, 3), 5);
	EQUAL(__mig_sys_readv(fd, (long)parts, -1), -EINVAL);
	long copy = __mig_sys_dup(fd);
	EQUAL(copy, 4);
	EQUAL(__mig_sys_lseek(copy, 30, SEEK_SET), 30);
	EQUAL(__mig_sys_read(fd, (long)buf, 2), 2); /* one offset for both */
	EQUAL(__mig_sys_read(copy, (long)buf + 2, 3), 3);
	CHECK(memcmp(buf, "abcde", 5) == 0);
	CLOSE(copy);
	CLOSE(fd);
	EQUAL(__mig_sys_close(fd), -EBADF);
	EQUAL(__mig_sys_read(fd, (long)buf, 1), -EBADF);

	fd = OPEN("/tmp/a", O_WRONLY | O_APPEND);
	EQUAL(__mig_sys_read(fd, (long)buf, 1), -EBADF);
	EQUAL(WRITE(fd, "!"), 1);
	EQUAL(__mig_sys_lseek(fd, 0, SEEK_CUR), 36);
	EQUAL(__mig_sys_dup3(fd, 9, O_CLOEXEC), 9);
	EQUAL(__mig_sys_fcntl(9, F_GETFD, 0), FD_CLOEXEC);
	EQUAL(__mig_sys_fcntl(fd, F_GETFD, 0), 0);
	EQUAL(__mig_sys_fcntl(fd, F_DUPFD, 20), 20);
	CLOSE(20);
	CLOSE(9);
	CLOSE(fd);
	/* Unlinked while open: it lives on. */
	fd = OPEN("/tmp/a", O_RDONLY);
	EQUAL(UNLINK("/tmp/a"), 0);
	EQUAL(OPEN("/tmp/a", O_RDONLY), -ENOENT);
	EQUAL(__mig_sys_read(fd, (long)buf, 5), 5);
	CHECK(memcmp(buf, "hello", 5) == 0);
	CLOSE(fd);
}

static void names(void)
{
	struct stat st;
	EQUAL(MKDIR("/tmp/d"), 0);
	EQUAL(MKDIR("/tmp/d"), -EEXIST);
	EQUAL(MKDIR("/tmp/d/e/"), 0);
	EQUAL(MKDIR("/tmp/none/e"), -ENOENT);
	put("/tmp/d/f", "one");
	EQUAL(MKDIR("/tmp/d/f/g"), -ENOTDIR);
	EQUAL(OPEN("/tmp/d/f/", O_RDONLY), -ENOTDIR);
	EQUAL(OPEN("/tmp/d", O_WRONLY), -EISDIR);
	EQUAL(OPEN("", O_RDONLY), -ENOENT);
	EQUAL(OPEN(NULL, O_RDONLY), -EFAULT);
	EQUAL(STAT("/tmp/d", &st), 0);
	EQUAL(st.st_nlink, 3); /* its name, its dot, the subdirectory's two dots */
	EQUAL(RMDIR("/tmp/d"), -ENOTEMPTY);
	EQUAL(UNLINK("/tmp/d/e"), -EISDIR);
	EQUAL(RMDIR("/tmp/d/f"), -ENOTDIR);
	EQUAL(RMDIR("/"), -EBUSY);
	EQUAL(RMDIR("/tmp/d/e/."), -EINVAL);
	CHECK(strcmp(content("/tmp/../tmp/./d//e/../f"), "one") == 0);

	EQUAL(RENAME("/tmp/d/f", "/tmp/d/e/g"), 0);
	EQUAL(RENAME("/tmp/d", "/tmp/d/e/h"), -EINVAL);
	EQUAL(RENAME("/tmp/none", "/tmp/x"), -ENOENT);
	put("/tmp/h", "two");
	EQUAL(RENAME("/tmp/h", "/tmp/d/e/g"), 0);
	CHECK(strcmp(content("/tmp/d/e/g"), "two") == 0);
	EQUAL(RENAME("/tmp/d/e", "/tmp/e"), 0);
	CHECK(strcmp(content("/tmp/e/g"), "two") == 0);
	EQUAL(STAT("/tmp/d", &st), 0);
	EQUAL(st.st_nlink, 2);
	EQUAL(RENAME("/tmp/d", "/tmp/e"), -ENOTEMPTY);
	EQUAL(RENAME("/tmp/e/g", "/tmp/d"), -EISDIR);
	EQUAL(RENAME("/tmp/d", "/tmp/e/g"), -ENOTDIR);

	EQUAL(__mig_sys_linkat(AT_FDCWD, (long)"/tmp/e/g", AT_FDCWD, (long)"/tmp/hard", 0), 0);
	EQUAL(UNLINK("/tmp/e/g"), 0);
	CHECK(strcmp(content("/tmp/hard"), "two") == 0);
	EQUAL(STAT("/tmp/hard", &st), 0);
	EQUAL(st.st_nlink, 1);

	EQUAL(__mig_sys_chdir((long)"/tmp/e"), 0);
	EQUAL(__mig_sys_getcwd((long)buf, sizeof buf), 7);
	CHECK(strcmp(buf, "/tmp/e") == 0);
	EQUAL(__mig_sys_getcwd((long)buf, 3), -ERANGE);
	put("here", "three");
	CHECK(strcmp(content("../e/here"), "three") == 0);
	EQUAL(UNLINK("here"), 0);
	EQUAL(RMDIR("/tmp/e"), 0);
	EQUAL(OPEN("gone", O_CREAT | O_WRONLY), -ENOENT);
	EQUAL(__mig_sys_getcwd((long)buf, sizeof buf), -ENOENT);
	EQUAL(__mig_sys_chdir((long)"/"), 0);
	EQUAL(RMDIR("/tmp/d"), 0);
	EQUAL(UNLINK("/tmp/hard"), 0);
}

static void links(void)
{
	struct stat st;
	put("/tmp/target", "content");
	EQUAL(SYMLINK("target", "/tmp/link"), 0);
	EQUAL(SYMLINK("target", "/tmp/link"), -EEXIST);
	CHECK(strcmp(content("/tmp/link"), "content") == 0);
	EQUAL(__mig_sys_readlinkat(AT_FDCWD, (long)"/tmp/link", (long)buf, 3), 3);
	CHECK(memcmp(buf, "tar", 3) == 0);
	EQUAL(__mig_sys_readlinkat(AT_FDCWD, (long)"/tmp/target", (long)buf, 3), -EINVAL);
	EQUAL(__mig_sys_newfstatat(AT_FDCWD, (long)"/tmp/link", (long)&st, AT_SYMLINK_NOFOLLOW), 0);
	EQUAL(st.st_mode & S_IFMT, S_IFLNK);
	EQUAL(OPEN("/tmp/link", O_RDONLY | O_NOFOLLOW), -ELOOP);
	EQUAL(SYMLINK("loop", "/tmp/loop"), 0);
	EQUAL(OPEN("/tmp/loop", O_RDONLY), -ELOOP);
	EQUAL(OPEN("/tmp/loop/x", O_RDONLY), -ELOOP);
	EQUAL(SYMLINK("/tmp/made", "/tmp/dangling"), 0);
	EQUAL(OPEN("/tmp/dangling", O_RDONLY), -ENOENT);
	put("/tmp/dangling", "through");
	CHECK(strcmp(content("/tmp/made"), "through") == 0);
	EQUAL(SYMLINK("../tmp", "/tmp/up"), 0);
	CHECK(strcmp(content("/tmp/up/up/target"), "content") == 0);
	EQUAL(RENAME("/tmp/link", "/tmp/other"), 0); /* the link itself */
	CHECK(strcmp(content("/tmp/other"), "content") == 0);
	const char *all[] = {"target", "other", "loop", "dangling", "made", "up"};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		EQUAL(__mig_sys_chdir((long)"/tmp"), 0);
		EQUAL(UNLINK(all[i]), 0);
	}
	EQUAL(__mig_sys_chdir((long)"/"), 0);
}

static void attributes(void)
{
	struct stat st;
	put("/tmp/t", "x");
	struct timespec times[2] = {{100, 5}, {200, UTIME_OMIT}};
	EQUAL(STAT("/tmp/t", &st), 0);
	struct timespec before = st.st_mtim;
	EQUAL(__mig_sys_utimensat(AT_FDCWD, (long)"/tmp/t", (long)times, 0), 0);
	EQUAL(STAT("/tmp/t", &st), 0);
	EQUAL(st.st_atim.tv_sec, 100);
	EQUAL(st.st_mtim.tv_sec, before.tv_sec);
	times[1].tv_nsec = 1000000000;
	EQUAL(__mig_sys_utimensat(AT_FDCWD, (long)"/tmp/t", (long)times, 0), -EINVAL);
	EQUAL(__mig_sys_fchmodat(AT_FDCWD, (long)"/tmp/t", 0751), 0);
	EQUAL(__mig_sys_faccessat(AT_FDCWD, (long)"/tmp/t", X_OK), 0);
	EQUAL(__mig_sys_fchmodat(AT_FDCWD, (long)"/tmp/t", 0600), 0);
	EQUAL(__mig_sys_faccessat(AT_FDCWD, (long)"/tmp/t", R_OK | W_OK), 0);
	EQUAL(__mig_sys_faccessat(AT_FDCWD, (long)"/tmp/t", X_OK), -EACCES);
	EQUAL(__mig_sys_faccessat(AT_FDCWD, (long)"/tmp/no", F_OK), -ENOENT);
	EQUAL(__mig_sys_fchownat(AT_FDCWD, (long)"/tmp/t", 7, -1, 0), 0);
	EQUAL(STAT("/tmp/t", &st), 0);
	EQUAL(st.st_uid, 7);
	EQUAL(st.st_gid, 0);
	EQUAL(UNLINK("/tmp/t"), 0);
}

/* Reads a directory in pieces while its entries are removed: each is seen once. */
static void listing(void)
{
	char name[32] = "/tmp/l/file00";
	int seen = 0, dots = 0;
	EQUAL(MKDIR("/tmp/l"), 0);
	for (int i = 0; i < 50; i++) {
		name[11] = '0' + i / 10;
		name[12] = '0' + i % 10;
		put(name, name);
	}
	long fd = OPEN("/tmp/l", O_RDONLY | O_DIRECTORY), n;
	EQUAL(__mig_sys_getdents64(fd, (long)buf, 8), -EINVAL);
	while ((n = __mig_sys_getdents64(fd, (long)buf, 300)) > 0) {
		for (long at = 0; at < n;) {
			struct dirent *d = (struct dirent *)(buf + at);
			if (d->d_name[0] == '.') {
				EQUAL(d->d_type, DT_DIR);
				dots++;
			} else {
				EQUAL(d->d_type, DT_REG);
				memcpy(name + 7, d->d_name, 7);
				EQUAL(UNLINK(name), 0);
				seen++;
			}
			at += d->d_reclen;
		}
	}
	EQUAL(n, 0);
	EQUAL(seen, 50);
	EQUAL(dots, 2);
	CLOSE(fd);
	EQUAL(RMDIR("/tmp/l"), 0);
}

static void devices(void)
{
	long fd = OPEN("/dev/null", O_RDWR);
	EQUAL(WRITE(fd, "nothing"), 7);
	EQUAL(__mig_sys_read(fd, (long)buf, 10), 0);
	EQUAL(__mig_sys_lseek(fd, 0, SEEK_SET), -ESPIPE);
	CLOSE(fd);
	fd = OPEN("/dev/zero", O_RDONLY);
	buf[5] = 1;
	EQUAL(__mig_sys_read(fd, (long)buf, 10), 10);
	EQUAL(buf[5], 0);
	CLOSE(fd);
	EQUAL(WRITE(1, "to stdout"), 9);
	EQUAL(WRITE(2, "to stderr"), 9);
	CHECK(strcmp(harness_output(1), "to stdout") == 0);
	CHECK(strcmp(harness_output(2), "to stderr") == 0);
	EQUAL(__mig_sys_read(1, (long)buf, 1), -EBADF);
	EQUAL(__mig_sys_ioctl(1, 0x5413, (long)buf), -ENOTTY);
}

void test(void)
{
	const uint64_t memory = 4 << 20;
	harness_map(memory);
	page_init(MIG_PORTABLE_BASE, MIG_PORTABLE_BASE + memory);
	fs_init();
	reading_and_writing(); /* the kernel's small objects have their pages now */
	names(), links(), attributes(), listing();
	uint64_t before = page_count_free();
	reading_and_writing(), names(), links(), attributes(), listing();
	EQUAL(page_count_free(), before); /* nothing leaks */
	devices();

	/* Memory used up: an error, and what was there stays. */
	put("/tmp/keep", "kept");
	long fd = OPEN("/tmp/big", O_CREAT | O_WRONLY), n = 0, total = 0;
	while ((n = __mig_sys_write(fd, (long)buf, sizeof buf)) > 0)
		total += n;
	EQUAL(n, -ENOSPC);
	CHECK(total > (long)memory / 2);
	CHECK(strcmp(content("/tmp/keep"), "kept") == 0);
	CLOSE(fd);
	EQUAL(UNLINK("/tmp/big"), 0);
	CHECK(page_count_free() > memory / PAGE / 2);
}
