/* Variable arguments of every type, walked across migration points, copied and forwarded. */
// exit: 0
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct small { short a, b; };
struct big { double d[5]; int n; };

static int depth(int n) { return n ? 1 + depth(n - 1) : 0; }

/* One letter of kinds per argument. */
static void show(const char *kinds, va_list ap)
{
	for (; *kinds; kinds++) {
		depth(3);
		switch (*kinds) {
		case 'c': printf(" char %c", va_arg(ap, int)); break;
		case 'h': printf(" short %hd", (short)va_arg(ap, int)); break;
		case 'i': printf(" int %d", va_arg(ap, int)); break;
		case 'u': printf(" unsigned %u", va_arg(ap, unsigned)); break;
		case 'l': printf(" long %ld", va_arg(ap, long)); break;
		case 'f': printf(" double %.15g", va_arg(ap, double)); break;
		case 'L': printf(" long double %.25Lg", va_arg(ap, long double)); break;
		case 'q': {
			__int128 q = va_arg(ap, __int128);
			printf(" int128 %lx:%lx", (unsigned long)(q >> 64), (unsigned long)q);
			break;
		}
		case 's': printf(" string %s", va_arg(ap, char *)); break;
		case 'S': {
			struct small s = va_arg(ap, struct small);
			printf(" small %d/%d", s.a, s.b);
			break;
		}
		case 'B': {
			struct big b = va_arg(ap, struct big);
			printf(" big %g..%g %d", b.d[0], b.d[4], b.n);
			break;
		}
		case 'F': printf(" call %d", va_arg(ap, int (*)(int))(7)); break;
		}
	}
	printf("\n");
}

static void twice(const char *kinds, ...)
{
	va_list ap, again;
	va_start(ap, kinds);
	va_copy(again, ap);
	show(kinds, ap);
	show(kinds, again);
	va_end(again);
	va_end(ap);
}

static int sum(int n, ...)
{
	va_list ap;
	int s = 0;
	va_start(ap, n);
	for (int i = 0; i < n; i++)
		s += va_arg(ap, int) * depth(i);
	va_end(ap);
	return s;
}

static int format(char *out, const char *f, ...)
{
	va_list ap;
	va_start(ap, f);
	int n = vsprintf(out, f, ap);
	va_end(ap);
	return n;
}

/* Takes more than it is given, as musl's fcntl does, and uses it only if told to. */
static const char *optional(int given, ...)
{
	va_list ap;
	va_start(ap, given);
	const char *text[3];
	for (int i = 0; i < 3; i++)
		text[i] = va_arg(ap, const char *);
	va_end(ap);
	depth(given + 1);
	return given ? text[given - 1] : "none";
}

int main(void)
{
	struct big b = {{1, 2, 3, 4, 5}, 6};
	twice("chiu", 'x', (short)-3, -1, 4000000000u);
	twice("lfLq", -(1L << 40), 1.0 / 3, 1.0L / 3, (__int128)1 << 100);
	twice("iLiqifS", 1, 2.5L, 3, (__int128)-4, 5, 6.5, (struct small){7, -8});
	twice("BsFB", b, "text", depth, b);
	printf("%d %d\n", sum(3, 10, 20, 30), sum(12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12));
	char text[64];
	printf("%d %s\n", format(text, "%s-%05d-%c-%.3f", "a", 42, 'z', 2.0 / 3), text);
	const char *(*volatile call)(int, ...) = optional;
	printf("%s %s %s %s\n", optional(0), optional(1, "one"), call(0), call(1, "first"));
	printf("%d %d\n", fcntl(1, F_GETFD), fcntl(99, F_GETFL));
	int (*through)(int, ...) = sum;
	return through(2, 1, -1) + 1;
}
