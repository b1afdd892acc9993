// Atomic operations on what no instruction of every build takes whole, 16 bytes among them:
// the calls that the compiler makes, of libatomic elsewhere.
#include <string.h>

static char busy;

static void enter(void)
{
	while (__atomic_test_and_set(&busy, __ATOMIC_ACQUIRE))
		; // on one CPU nobody else is in here: no thread is suspended between two polls
}

static void leave(void) { __atomic_clear(&busy, __ATOMIC_RELEASE); }

// The names are builtins with other types.
void load(size_t n, const void *from, void *to, int order) __asm__("__atomic_load");
void store(size_t n, void *to, const void *from, int order) __asm__("__atomic_store");
void exchange(size_t n, void *at, const void *from, void *to, int order) __asm__("__atomic_exchange");
_Bool compare(size_t n, void *at, void *expected, const void *desired, int yes, int no)
	__asm__("__atomic_compare_exchange");

void load(size_t n, const void *from, void *to, int order)
{
	enter();
	memcpy(to, from, n);
	leave();
}

void store(size_t n, void *to, const void *from, int order)
{
	enter();
	memcpy(to, from, n);
	leave();
}

void exchange(size_t n, void *at, const void *from, void *to, int order)
{
	enter();
	memcpy(to, at, n);
	memcpy(at, from, n);
	leave();
}

_Bool compare(size_t n, void *at, void *expected, const void *desired, int yes, int no)
{
	enter();
	_Bool equal = !memcmp(at, expected, n);
	if (equal)
		memcpy(at, desired, n);
	else
		memcpy(expected, at, n);
	leave();
	return equal;
}

_Bool lock_free(size_t n, const volatile void *at) __asm__("__atomic_is_lock_free");

_Bool lock_free(size_t n, const volatile void *at)
{
	return n == 1 || n == 2 || n == 4 || n == 8;
}
