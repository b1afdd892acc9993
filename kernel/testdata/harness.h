/* For tests of the kernel's portable files as part of an ordinary process: the host's side
   of the contract, and checks. The drivers are compiled like the kernel, against libc's
   headers of the sysroot; harness.c against those of this machine. */
#ifndef HARNESS_H
#define HARNESS_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* Maps the control page, the rings and size bytes of portable memory. */
void harness_map(uint64_t size);
/* What the guest wrote to a stream so far, NUL-terminated; forgets it. */
const char *harness_output(int stream);
/* Puts bytes into the input ring as the host does; returns how many fitted. */
size_t harness_input(const void *p, size_t n);
/* Called for MIG_OP_WAIT; may change what the guest waits for. */
extern void (*harness_wait)(uint64_t deadline);
/* What threads run that clone has made. */
extern void (*harness_thread)(void);
/* The last line of MIG_OP_LOG, and how many there were. */
extern char harness_log[256];
extern int harness_logs;
extern uint64_t harness_now; /* ns: the counter's value, which stands still */

extern uint64_t harness_alarm; /* the time that the guest asked for last */

void harness_fail(const char *file, int line, const char *format, ...);

#define CHECK(condition) \
	do { if (!(condition)) harness_fail(__FILE__, __LINE__, "%s", #condition); } while (0)
#define EQUAL(a, b) \
	do { \
		int64_t a_ = (int64_t)(a), b_ = (int64_t)(b); \
		if (a_ != b_) harness_fail(__FILE__, __LINE__, "%s is %lld, want %lld", #a, a_, b_); \
	} while (0)

/* A generator for random tests (splitmix64), from the seed that the test was given. */
extern uint64_t harness_seed;
static inline uint64_t harness_random(void)
{
	uint64_t z = harness_seed += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

void test(void); /* each driver's */

#endif
