/*
 * The library OS, portable part: what its files offer each other. It is compiled like the
 * program, so its state is portable memory that travels; no address of machine-private
 * memory but the fixed ones of host_abi.h may be kept in it.
 *
 * Nothing here polls, and nothing waits but by thread_block (thread.h) and what is made of it;
 * so what lies between two waits is atomic. It stays so over a leave_point: no other thread runs
 * there.
 */
#ifndef MIGRATED_KERNEL_H
#define MIGRATED_KERNEL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

#include "host_abi.h"
#include "native.h"
#include "syscalls.h"

#define PAGE MIG_PAGE_SIZE
#define PAGES(bytes) (((uint64_t)(bytes) + PAGE - 1) / PAGE)

/* Called by native code: keeps its name and linkage. */
#define NATIVE_CALLS __attribute__((used))

/* page.c: pages of portable memory. A free page is zero, so that a move leaves it out. */
void page_init(uint64_t start, uint64_t end);
void *page_alloc(uint64_t pages);              /* zeroed; NULL when there is no such run */
void page_free(void *run, uint64_t pages);     /* zeroes them; free ones among them are fine */
void page_free_leaving(void *run, uint64_t pages); /* the same, with leave points */
bool page_take(uint64_t addr, uint64_t pages); /* exactly these, if all are free */
bool page_is_free(uint64_t addr, uint64_t pages); /* all of these */
bool page_ours(uint64_t addr, uint64_t pages); /* within the allocator's range? */
uint64_t page_count_free(void);
uint64_t page_count(void);
uint64_t page_start(void);

/* kmem.c: the kernel's small objects. */
void *kmem_alloc(size_t size); /* zeroed; NULL when memory is used up */
void kmem_free(void *object, size_t size);

/* clock.c: nanoseconds */
uint64_t clock_mono(void);
uint64_t clock_real(void);
bool clock_read(int id, uint64_t *ns);        /* CLOCK_*; false: there is no such clock */
uint64_t clock_after(uint64_t ns);            /* monotonic time so much later, or FOREVER */
bool timespec_valid(const struct timespec *ts);
uint64_t timespec_ns(const struct timespec *ts);
uint64_t clock_run_time(void); /* since clock_start, without idle time */
void clock_start(void);
void clock_idle(uint64_t ns); /* not spent computing */

/* console.c */
void console_take(void);                            /* input ring -> own buffer */
size_t console_waiting(void);                       /* bytes that can be read now */
bool console_readable(void);                        /* data, or the end */
int64_t console_read(void *buf, size_t n);          /* waits; or -EINTR */
void console_write(uint32_t stream, const void *buf, size_t n);

/* random.c */
void random_reseed(void);
void random_bytes(void *buf, size_t n);

/* log.c */
void log_line(const char *message);
_Noreturn void panic_out_of_memory(const char *what);
_Noreturn void panic_killed(int sig);
_Noreturn void __mig_stack_overflow(void); /* compiled code calls it too */
long no_processes(const char *call); /* -ENOSYS, said once in the host's log */

/* point.c: what a migration point does when something is pending. */
void __mig_poll_slow(void);
/* Migration points. They block until the monotonic clock shows deadline, or for no
   reason; callers look again, also whether the thread has run a handler meanwhile. */
#define FOREVER UINT64_MAX
void wait_until(uint64_t deadline);
/* Or until something may have happened to a file, which is named by any address of its own. */
void wait_for(const void *file, uint64_t deadline);
void wake_waiters(const void *file);
extern const char any_file, console_input;

/* Between the parts of a long operation, in a system call: the thread may leave here and come back,
   and nothing else happens. */
void leave_point(void);
#define PART (16 * PAGE) /* bytes; some microseconds */

/* bulk.c: memcpy and memset with leave points */
void copy_leaving(void *to, const void *from, size_t n);
void clear_leaving(void *at, size_t n);

/* Of the running thread, used by name (docs/runtime-abi.md). */
extern char *__mig_ssp, *__mig_ssp_limit, *__mig_tp;

/* thread.c */
uint64_t thread_handled(void);     /* handlers that the running thread has run */
uint64_t thread_interrupted(void); /* of these, the ones that end a call that can be restarted */

/* process.c */
_Noreturn void process_exit(int code, int sig);
unsigned process_umask(void);
#define SHADOW_STACK_MAX (MIG_STATIC_BASE - MIG_PORTABLE_BASE) /* bytes */

/* fs_boot.c: the first files, from the boot blob's list of them. NULL: it is cut short. */
void fs_init(void);
bool fs_unpack(const uint8_t *list, const uint8_t *end);

/* Linux kernels check such pointers by faulting; here only the plainest mistake is seen. */
#define CHECK_POINTER(p) do { if (!(p)) return -EFAULT; } while (0)

#include "syscall_define.h"

#endif
