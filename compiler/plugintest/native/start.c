/*
 * What a program of testdata/run finds around it: an entry point, a thread-local block, the
 * memory functions, an exit. The exit status is check()'s result.
 */
typedef unsigned char byte;
typedef unsigned long size;

int check(void);
void constructors(void) __attribute__((weak));
extern const byte __mig_tls_image[];
extern const long __mig_tls_size, __mig_tls_align;

static _Alignas(256) byte block[65536];
void *__mig_tp;

void *memcpy(void *restrict to, const void *restrict from, size n)
{
	byte *t = to;
	const byte *f = from;
	while (n--)
		*t++ = *f++;
	return to;
}

void *memmove(void *to, const void *from, size n)
{
	byte *t = to;
	const byte *f = from;
	if (t < f)
		return memcpy(to, from, n);
	while (n--)
		t[n] = f[n];
	return to;
}

void *memset(void *to, int c, size n)
{
	byte *t = to;
	while (n--)
		*t++ = (byte)c;
	return to;
}

int memcmp(const void *a, const void *b, size n)
{
	const byte *x = a, *y = b;
	for (; n--; x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

int bcmp(const void *a, const void *b, size n) { return memcmp(a, b, n); }

_Noreturn void abort(void) { __builtin_trap(); }

static _Noreturn void leave(long status)
{
#if defined __x86_64__
	__asm__ volatile("syscall" : : "a"(60), "D"(status));
#elif defined __aarch64__
	register long x8 __asm__("x8") = 93, x0 __asm__("x0") = status;
	__asm__ volatile("svc 0" : : "r"(x8), "r"(x0));
#endif
	__builtin_unreachable();
}

__attribute__((used)) static void run(void)
{
	if (__mig_tls_size > (long)sizeof block || __mig_tls_align > (long)_Alignof(block))
		leave(101);
	memcpy(block, __mig_tls_image, (size)__mig_tls_size);
	__mig_tp = block;
	if (constructors)
		constructors();
	leave(check());
}

__attribute__((naked)) void _start(void)
{
#if defined __x86_64__
	__asm__("call run");
#elif defined __aarch64__
	__asm__("bl run");
#endif
}
