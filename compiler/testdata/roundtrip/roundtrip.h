/* What every program of this directory has: its migration points, and where it begins. */
int leave_here(void); /* native: is it this point's turn? */
void out(long value);
void out_double(double value);
void out_string(const char *s);
_Noreturn void finish(int status);
void __mig_leave(void);

__attribute__((used)) void __mig_poll_slow(void)
{
	if (leave_here())
		__mig_leave();
}

/* A migration point where the program wants one. */
#define POINT() __mig_poll_slow()

int program(void);

__attribute__((used)) void __mig_thread_main(void)
{
	finish(program());
}
