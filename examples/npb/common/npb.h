/*
 * What the kernels of the NAS Parallel Benchmarks share. Written from the report that
 * specifies them: D. Bailey et al., "The NAS Parallel Benchmarks", RNR-94-007, 1994,
 * with the problem sizes and verification values of NPB 3.
 */
#ifndef NPB_H
#define NPB_H

#include <stdint.h>

#define NPB_A UINT64_C(1220703125) /* 5^13, the multiplier; report, section 2.3 */

/* The generator x' = a x mod 2^46. Arithmetic modulo 2^64 agrees with it. */
static inline double npb_random(uint64_t *x, uint64_t a)
{
	*x = (*x * a) & ((UINT64_C(1) << 46) - 1);
	return (double)*x * 0x1p-46;
}

/* Returns a^n mod 2^46: the factor that skips n numbers of the sequence. */
uint64_t npb_power(uint64_t a, uint64_t n);

/* One size of a kernel. */
struct npb_class {
	char name;
	int size[4];      /* what the kernel calls its sizes */
	double expect[2]; /* official verification values */
};

/* Picks the class named by the first argument ("S" without one) from a table that ends
   with name 0; on a bad argument it prints usage and exits with status 2. */
const struct npb_class *npb_choose(const struct npb_class *table, int argc, char **argv);

/* Prints value beside what is expected; returns 1 if they agree within epsilon, relative. */
int npb_check(const char *what, double value, double expected, double epsilon);

/* Prints the verdict and returns the exit status: 0 if verified. */
int npb_finish(const char *kernel, char class, int verified, double seconds);

/* Seconds on the monotonic clock. */
double npb_now(void);

/* calloc that ends the program with a message when there is no memory. */
void *npb_alloc(uint64_t count, uint64_t size);

#endif
