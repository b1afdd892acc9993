/* What the kernel has to say to the operator, and how it gives up. */
#include <signal.h>

#include "kernel.h"

void log_line(const char *message)
{
	__mig_ring(MIG_OP_LOG, (uint64_t)message, strlen(message), 0, 0);
}

static _Noreturn void panic(const char *message, uint64_t kind, uint64_t sig)
{
	for (;;)
		__mig_ring(MIG_OP_PANIC, (uint64_t)message, strlen(message), kind, sig);
}

NATIVE_CALLS void __mig_panic(const char *message)
{
	panic(message, MIG_PANIC_KERNEL, 0);
}

void panic_out_of_memory(const char *what)
{
	panic(what, MIG_PANIC_OOM, SIGKILL);
}

NATIVE_CALLS void __mig_stack_overflow(void)
{
	panic("stack overflow: the program's local variables take more than its stack has",
	      MIG_PANIC_ABORT, SIGSEGV);
}

/* Signals whose default action is a core dump on Linux (signal(7)). */
void panic_killed(int sig)
{
	static const struct {
		int sig;
		const char *message;
	} reasons[] = {
		{SIGABRT, "the program called abort()"},
		{SIGSEGV, "the program raised SIGSEGV"},
		{SIGBUS, "the program raised SIGBUS"},
		{SIGFPE, "the program raised SIGFPE"},
		{SIGILL, "the program raised SIGILL"},
		{SIGQUIT, "the program raised SIGQUIT"},
		{SIGTRAP, "the program raised SIGTRAP"},
		{SIGSYS, "the program raised SIGSYS"},
		{SIGXCPU, "the program raised SIGXCPU"},
		{SIGXFSZ, "the program raised SIGXFSZ"},
	};
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (reasons[i].sig == sig)
			panic(reasons[i].message, MIG_PANIC_ABORT, sig);
	panic("the program died of a signal", MIG_PANIC_ABORT, sig);
}

static size_t put_number(char *to, unsigned long n)
{
	char digits[20];
	size_t len = 0;
	do
		digits[len++] = '0' + n % 10;
	while (n /= 10);
	for (size_t i = 0; i < len; i++)
		to[i] = digits[len - 1 - i];
	return len;
}

static size_t put_string(char *to, const char *s)
{
	size_t len = strlen(s);
	memcpy(to, s, len);
	return len;
}

/* A VM is one process and one program. */
long no_processes(const char *call)
{
	static bool said;
	char line[96];
	if (!said) {
		size_t n = put_string(line, call);
		n += put_string(line + n, " is not supported, a VM is one process: the program gets ENOSYS");
		line[n] = 0;
		log_line(line);
		said = true;
	}
	return -ENOSYS;
}

static const struct {
	uint16_t number;
	char name[24];
} names[] = {
#include "syscall_names.h"
};

static const char *name_of(long number)
{
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].number == number)
			return names[i].name;
	return "unknown";
}

#define NUMBERS 512 /* Linux has no number beyond for now; a stray one is said each time */

long __mig_sys_none(long number)
{
	static uint64_t said[NUMBERS / 64];
	if (number >= 0 && number < NUMBERS) {
		uint64_t bit = 1ull << (number % 64);
		if (said[number / 64] & bit)
			return -ENOSYS;
		said[number / 64] |= bit;
	}
	char line[96];
	size_t n = put_string(line, "system call ");
	n += put_number(line + n, number);
	n += put_string(line + n, " (");
	n += put_string(line + n, name_of(number));
	n += put_string(line + n, ") is not supported: the program gets ENOSYS");
	line[n] = 0;
	log_line(line);
	return -ENOSYS;
}
