__asm__(".globl elsewhere");

long cycles(void)
{
	long n;
	__asm__ volatile("rdcycle %0" : "=r"(n));
	return n;
}

/* Barriers for the optimiser emit nothing, and pass. */
void barriers(double *d, long n)
{
	__asm__ volatile("" ::: "memory");
	__asm__("" : "+r"(n));
	__asm__("" : : "r"(n), "m"(*d), "i"(4));
	__asm__("" : "+f"(*d));
	__asm__("" : : : "a0");
}

int jumps(void)
{
	__asm__ goto("" : : : : away);
	return 1;
away:
	return 2;
}
