/* Room for files, copies from one to another, locks between open files; and calls about who
   and where the program is. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>

#include "file.h"
#include "harness.h"
#include "thread.h"

static int make(const char *path)
{
	return __mig_sys_openat(AT_FDCWD, (long)path, O_RDWR | O_CREAT, 0644);
}

static int64_t size_of(int fd)
{
	struct stat st;
	EQUAL(__mig_sys_fstat(fd, (long)&st), 0);
	return st.st_size;
}

static void room(void)
{
	struct statfs before, after;
	char c = 1;
	int fd = make("/tmp/room");
	EQUAL(__mig_sys_statfs((long)"/tmp", (long)&before), 0);
	EQUAL(__mig_sys_fallocate(fd, 0, 10 * PAGE - 5, 10), 0);
	EQUAL(size_of(fd), 10 * PAGE + 5);
	EQUAL(__mig_sys_fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 30 * PAGE), 0);
	EQUAL(size_of(fd), 10 * PAGE + 5);
	EQUAL(__mig_sys_fstatfs(fd, (long)&after), 0);
	CHECK(before.f_bfree - after.f_bfree >= 30 && before.f_bfree - after.f_bfree < 40);
	EQUAL(__mig_sys_pread64(fd, (long)&c, 1, 7), 1);
	EQUAL(c, 0);
	EQUAL(__mig_sys_fallocate(fd, 0, 0, 1ll << 40), -ENOSPC);
	EQUAL(__mig_sys_fallocate(fd, 0, INT64_MAX - 1, 100), -EFBIG);
	EQUAL(__mig_sys_fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 1), -EOPNOTSUPP);
	EQUAL(__mig_sys_fallocate(fd, 0, 0, 0), -EINVAL);
	EQUAL(__mig_sys_fallocate(0, 0, 0, 1), -EBADF); /* cannot be written to */
	EQUAL(__mig_sys_fadvise64(fd, 0, 0, POSIX_FADV_WILLNEED), 0);
	EQUAL(__mig_sys_fadvise64(fd, 0, 0, 77), -EINVAL);
	EQUAL(__mig_sys_close(fd), 0);
	EQUAL(__mig_sys_unlinkat(AT_FDCWD, (long)"/tmp/room", 0), 0);
	EQUAL(__mig_sys_statfs((long)"/tmp", (long)&after), 0);
	CHECK(after.f_bfree + 2 >= before.f_bfree); /* pages of small objects stay with the kernel */
	fd = __mig_sys_memfd_create((long)"a name", MFD_CLOEXEC);
	EQUAL(__mig_sys_write(fd, (long)"abc", 3), 3);
	EQUAL(size_of(fd), 3);
	EQUAL(__mig_sys_close(fd), 0);
}

static void copies(void)
{
	static char a[3 * PAGE], b[3 * PAGE];
	int in = make("/tmp/in"), out = make("/tmp/out"), fds[2];
	for (size_t i = 0; i < sizeof a; i++)
		a[i] = i * 7 + i / 256;
	EQUAL(__mig_sys_write(in, (long)a, sizeof a), sizeof a);
	off_t from = 100, to = 50;
	EQUAL(__mig_sys_copy_file_range(in, (long)&from, out, (long)&to, 2 * PAGE, 0), 2 * PAGE);
	EQUAL(from, 100 + 2 * PAGE);
	EQUAL(to, 50 + 2 * PAGE);
	EQUAL(__mig_sys_pread64(out, (long)b, sizeof b, 50), 2 * PAGE);
	EQUAL(memcmp(a + 100, b, 2 * PAGE), 0);
	EQUAL(__mig_sys_lseek(in, 0, SEEK_SET), 0);
	EQUAL(__mig_sys_copy_file_range(in, 0, out, 0, 10, 0), 10);
	EQUAL(__mig_sys_lseek(in, 0, SEEK_CUR), 10);
	EQUAL(__mig_sys_lseek(out, 0, SEEK_CUR), 10);
	from = to = 5;
	EQUAL(__mig_sys_copy_file_range(in, (long)&from, in, (long)&to, 10, 0), -EINVAL);
	to = sizeof a; /* behind the end: nothing is there to copy over */
	EQUAL(__mig_sys_copy_file_range(in, (long)&to, out, 0, 10, 0), 0);

	EQUAL(__mig_sys_pipe2((long)fds, O_NONBLOCK), 0);
	EQUAL(__mig_sys_sendfile(fds[1], in, 0, 20), 20);
	EQUAL(__mig_sys_lseek(in, 0, SEEK_CUR), 30);
	EQUAL(__mig_sys_read(fds[0], (long)b, sizeof b), 20);
	EQUAL(memcmp(a + 10, b, 20), 0);
	EQUAL(__mig_sys_sendfile(out, fds[0], 0, 20), -EINVAL);
	EQUAL(__mig_sys_sendfile(out, 99, 0, 20), -EBADF);
	__mig_sys_close(fds[0]);
	__mig_sys_close(fds[1]);
	__mig_sys_close(in);
	__mig_sys_close(out);
}

#define FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)

static int locked_by_thread;
static long thread_has;

static int locks(void *arg)
{
	(void)arg;
	thread_has = __mig_sys_flock(locked_by_thread, LOCK_EX);
	return 0;
}

static void enter(void)
{
	struct mig_clone *start = thread_current()->start;
	thread_exit(start->run(start->argument));
}

static void others(void)
{
	for (int i = 0; i < 5; i++)
		__mig_sys_sched_yield();
}

static void open_files_lock(void)
{
	static struct mig_clone start = {.run = locks};
	int a = make("/tmp/locked"), b = make("/tmp/locked"), c = __mig_sys_dup(a);
	EQUAL(__mig_sys_flock(a, LOCK_SH), 0);
	EQUAL(__mig_sys_flock(b, LOCK_SH), 0);
	EQUAL(__mig_sys_flock(b, LOCK_EX | LOCK_NB), -EWOULDBLOCK);
	EQUAL(__mig_sys_flock(a, LOCK_UN), 0);
	EQUAL(__mig_sys_flock(b, LOCK_EX | LOCK_NB), 0);
	EQUAL(__mig_sys_flock(a, LOCK_SH | LOCK_NB), -EWOULDBLOCK);
	EQUAL(__mig_sys_flock(b, LOCK_UN), 0);
	EQUAL(__mig_sys_flock(c, LOCK_EX), 0); /* a and c are one open file */
	EQUAL(__mig_sys_flock(a, LOCK_EX | LOCK_NB), 0);
	locked_by_thread = b;
	thread_has = 999;
	__mig_sys_clone(FLAGS, (long)&start, 0, 0, 0);
	others();
	EQUAL(__mig_sys_close(a), 0);
	others();
	EQUAL(thread_has, 999);
	EQUAL(__mig_sys_close(c), 0); /* ends the lock */
	others();
	EQUAL(thread_has, 0);
	EQUAL(__mig_sys_flock(b, 77), -EINVAL);
	EQUAL(__mig_sys_flock(99, LOCK_SH), -EBADF);
	EQUAL(__mig_sys_close(b), 0);
}

static void who_and_where(void)
{
	uint32_t ids[3] = {9, 9, 9}, cpu = 9;
	EQUAL(__mig_sys_setuid(0), 0);
	EQUAL(__mig_sys_setgid(100), -EPERM);
	EQUAL(__mig_sys_setreuid(-1, 0), 0);
	EQUAL(__mig_sys_getresuid((long)&ids[0], (long)&ids[1], (long)&ids[2]), 0);
	EQUAL(ids[0] + ids[1] + ids[2], 0);
	EQUAL(__mig_sys_getgroups(0, 0), 0);
	EQUAL(__mig_sys_setpgid(7, 0), -ESRCH);
	EQUAL(__mig_sys_getcpu((long)&cpu, 0, 0), 0);
	EQUAL(cpu, 0);
	EQUAL(__mig_sys_wait4(-1, 0, WNOHANG, 0), -ECHILD);
	void *page = page_alloc(1);
	EQUAL(__mig_sys_mlock((long)page + 5, PAGE - 5), 0);
	EQUAL(__mig_sys_mlock(5, 1), -ENOMEM);
	EQUAL(__mig_sys_mknodat(AT_FDCWD, (long)"/tmp/new", S_IFREG | 0600, 0), 0);
	EQUAL(__mig_sys_mknodat(AT_FDCWD, (long)"/tmp/new", S_IFREG | 0600, 0), -EEXIST);
	EQUAL(__mig_sys_mknodat(AT_FDCWD, (long)"/tmp/fifo", S_IFIFO | 0600, 0), -EPERM);
}

void test(void)
{
	harness_map(4 << 20);
	harness_thread = enter;
	page_init(MIG_PORTABLE_BASE, MIG_PORTABLE_BASE + (4 << 20));
	fs_init();
	room();
	copies();
	open_files_lock();
	who_and_where();
}
