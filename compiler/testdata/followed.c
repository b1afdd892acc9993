/* Left and resumed; the rest of a program in two lines. */
void __mig_leave(void);
void __mig_poll_slow(void) { __mig_leave(); }
__attribute__((noinline)) void get(long *to) { __mig_leave(); *to = 1; }

long total(const long *v, long n)
{
	long sum = 0;
	for (long i = 0; i < n; i++) {
		long x;
		get(&x);
		sum += v[i] * x;
	}
	return sum;
}
