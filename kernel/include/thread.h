/*
 * Threads, the CPUs that run them, and signals. All that a thread is lies in portable memory,
 * but for the frames on its machine stack; a move makes it leave that.
 *
 * Cooperative: what lies between two migration points is atomic. One CPU for now; what belongs
 * to a CPU is in struct cpu, and the rest would need locks if there were several.
 */
#ifndef MIGRATED_THREAD_H
#define MIGRATED_THREAD_H

#include <signal.h>

#include "kernel.h"

#define SIGNALS 64 /* numbered from 1 */

/* Bit of a signal in a mask. */
static inline uint64_t signal_bit(int sig)
{
	return 1ull << (sig - 1);
}

/* signal_queue.c: signals that were sent and not yet taken, of a thread or of the process. */
struct signal_queue {
	uint64_t pending;          /* mask */
	struct signal_info *first; /* oldest first; not every pending signal has one */
};
bool signal_queue_add(struct signal_queue *q, const siginfo_t *info); /* false: no memory */
/* Takes the lowest signal of those in mask. */
bool signal_queue_take(struct signal_queue *q, uint64_t mask, siginfo_t *info);
bool signal_queue_has_timer(const struct signal_queue *q, int id);
void signal_queue_drop(struct signal_queue *q, uint64_t mask);

/* records.c: frame records of a thread, a stack. */
struct records {
	uint8_t *stack;        /* this and top are struct mig_records */
	uint64_t top;          /* bytes of records */
	uint64_t capacity;     /* bytes, whole pages */
	uint64_t dirty;        /* bytes that may be other than zero */
	uint64_t leave_from;   /* top when the last leave began */
	uint64_t leave_frames; /* what it added */
};
bool records_init(struct records *r); /* false: no memory */
void records_free(struct records *r);
void records_leave_begin(void);
void records_leave_end(void);
/* Adds to left_frames and left_bytes what the last leave wrote, once; zeroes what no record
   needs. */
void records_report(struct records *r);

enum thread_state { THREAD_READY, THREAD_RUNNING, THREAD_BLOCKED, THREAD_ENDED };

struct thread {
	struct thread *next;       /* in the queue of ready threads */
	enum thread_state state;
	int number;                /* of its machine stack */
	int id;                    /* what the program knows it by */
	bool is_new;               /* has never run */
	bool on_stack;             /* has frames on its machine stack */
	struct hold *holds;        /* files that its system calls use, innermost first */
	const void *awaits;        /* while blocked: the file that it waits for, or NULL */
	uint64_t deadline;         /* while blocked: mono ns, or FOREVER */

	char *shadow_stack;        /* __mig_ssp while it does not run */
	char *shadow_limit;        /* lowest address of its own shadow stack */
	char *thread_local;        /* __mig_tp while it does not run */
	struct records records;

	struct mig_clone *start;   /* what a new one runs; NULL: main */
	void *arguments;           /* of main: argc, argv, envp, auxv as on a Unix stack */
	int *cleared;              /* zeroed and woken at its end, or NULL */
	uint64_t unmap, unmap_size; /* freed behind its end */
	void *robust_list;         /* libc's */

	uint64_t ran;              /* ns on a CPU, without what it runs now */
	char name[16];             /* and its NUL */
	stack_t signal_stack;      /* for handlers with SA_ONSTACK, or without an address */

	volatile int *futex;       /* while it waits there */
	uint32_t futex_bits;
	struct thread *futex_next;

	struct signal_queue signals;
	uint64_t blocked;          /* mask */
	uint64_t awaited;          /* mask: in sigtimedwait */
	uint64_t handled;          /* handlers that it has run */
	uint64_t interrupted;      /* of these, the ones without SA_RESTART */
};

/* thread.c */
extern struct thread thread_first;     /* there from the beginning */
void thread_init(void *shadow_stack_end, void *shadow_stack, void *arguments); /* the first one */
struct thread *thread_at(int number);  /* NULL: there is none */
struct thread *thread_by_id(int id);   /* the same */
int threads_end(void);                 /* numbers are below it */
int thread_count(void);
void thread_check_stack(void);
bool thread_on_signal_stack(const struct thread *t, const char *at);
char *thread_signal_stack_end(const struct thread *t);
char *thread_stack_limit(const struct thread *t, const char *at); /* __mig_ssp_limit where __mig_ssp is at */
_Noreturn void thread_exit(int code);

/* schedule.c */
struct thread *thread_current(void);
uint64_t thread_run_time(const struct thread *t); /* ns, or all that the process ran where the
                                          guest has no counter to read */
void thread_add(struct thread *t);     /* it is ready, behind all others that are */
void thread_wake(struct thread *t);    /* if it is blocked */
/* Blocks until another thread or a deadline wakes it, or for no reason. A migration point, but
   signals wait for migration_point, so that the caller can take back what it waited for. */
void thread_block(uint64_t deadline);
void thread_yield(void);               /* the same: to the end of the queue */
bool thread_others_ready(void);
void thread_forget(struct thread *t);  /* it has ended */
void leave_all(void);                  /* at the next migration point of each thread */
bool leaving(void);

/* alarm.c: deadlines, and the end of time slices. */
uint64_t alarm_earliest(void);         /* nothing is due before; FOREVER: never */
void alarm_before(uint64_t deadline);  /* something is due then */
void alarm_set(void);                  /* before a thread runs on: asks the host for it */
void alarm_rang(void);                 /* the host says that it is time */
void alarm_expire(void);               /* wakes what is due */
void alarm_resumed(void);              /* on another host */

/* point.c */
void take_pending(void);               /* what the host asks for, but leaving and signals */
void __mig_poll_slow(void);            /* what a poll calls that found something pending */
void migration_point(void);            /* behind a wait: leaves if that is asked for, runs handlers */

/* futex.c */
int futex_wake(volatile int *word, int count, uint32_t bits);

/* signal.c; info has a valid number. */
bool signal_to_process(const siginfo_t *info); /* false: no memory to keep info */
bool signal_to_thread(struct thread *t, const siginfo_t *info);
bool signal_timer_pending(int id);     /* a signal of a POSIX timer */
bool signal_waits(void);               /* for the running thread: it will be acted on at a point */
void signal_self(int sig);             /* to the running thread, at its next point */
void signal_deliver(void);             /* runs handlers of the running thread, a migration point */
void signal_mask(uint64_t mask);       /* of the running thread, from now on */
uint64_t signal_pending(void);         /* mask: for the running thread */
bool signal_take(uint64_t mask, siginfo_t *info); /* one of them, whether blocked or not */

/* timer.c: fires what is due; returns when the next is, mono ns or FOREVER. */
uint64_t timers_expire(void);
void timer_delivered(siginfo_t *info); /* a POSIX timer's signal is taken: says how often it came due since */

#endif
