/* Arguments of every kind through `...`: directly, by pointer, passed on, copied. */
#include <stdarg.h>

struct one { char c; };
struct pair { double a, b; };
struct mixed { float f; int i; };
struct big { long x[5]; };
struct wide { _Alignas(16) long x[2]; };
union either { double d; long l; };
enum small { FEW = -3 };

#define WIDE (-((__int128)5 << 70))

static int failures;
#define EXPECT(x) (failures += !(x))

static void list(const char *kinds, va_list ap)
{
	for (; *kinds; kinds++) {
		switch (*kinds) {
		case 'i': EXPECT(va_arg(ap, int) == -7); break;
		case 'u': EXPECT(va_arg(ap, unsigned) == 0xfffffff9u); break;
		case 'l': EXPECT(va_arg(ap, long) == -0x123456789abcdefL); break;
		case 'd': EXPECT(va_arg(ap, double) == 0.1); break;
		case 'L': EXPECT(va_arg(ap, long double) == 0.1L); break;
		case 'q': EXPECT(va_arg(ap, __int128) == WIDE); break;
		case 'p': EXPECT(va_arg(ap, void *) == &failures); break;
		case 'e': EXPECT(va_arg(ap, enum small) == FEW); break;
		case '1': EXPECT(va_arg(ap, struct one).c == 'x'); break;
		case '2': { struct pair p = va_arg(ap, struct pair); EXPECT(p.a == 1.5 && p.b == -2.5); break; }
		case 'm': { struct mixed m = va_arg(ap, struct mixed); EXPECT(m.f == 0.25f && m.i == 9); break; }
		case 'b': { struct big b = va_arg(ap, struct big); EXPECT(b.x[0] == 1 && b.x[4] == 5); break; }
		case 'w': { struct wide w = va_arg(ap, struct wide); EXPECT(w.x[0] == 11 && w.x[1] == 12); break; }
		case 'U': EXPECT(va_arg(ap, union either).d == 6.5); break;
		}
	}
}

static void take(const char *kinds, ...)
{
	va_list ap, again;
	va_start(ap, kinds);
	va_copy(again, ap);
	list(kinds, ap);
	list(kinds, again);
	va_end(again);
	va_end(ap);
}

static int count(int first, ...)
{
	int n = 0;
	va_list ap;
	va_start(ap, first);
	for (int v = first; v; v = va_arg(ap, int))
		n++;
	va_end(ap);
	return n;
}

static void (*volatile by_pointer)(const char *, ...) = take;
static int (*volatile count_by_pointer)(int, ...) = count;

/* An argument that is itself a variadic call, while others are being prepared. */
static int nested(void) { return count(1, count(2, 3, 0), count(1, 0), count(0), 0); }

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-non-prototype"
#pragma clang diagnostic ignored "-Wstrict-prototypes"
int old_style();
int (*volatile old_pointer)() = old_style;
static int old(void) { return old_style(3, 4.5) == 7 && old_pointer(-3, 4.5) == 1; }
#pragma clang diagnostic pop
int old_style(int a, double b) { return a + (int)b; }

int check(void)
{
	struct one one = {'x'};
	struct pair pair = {1.5, -2.5};
	struct mixed mixed = {0.25f, 9};
	struct big big = {{1, 2, 3, 4, 5}};
	struct wide wide = {{11, 12}};
	union either either = {6.5};
	signed char c = -7;
	short s = -7;

	take("");
	take("iiiu", c, s, -7, -7);
	take("lLdqp", -0x123456789abcdefL, 0.1L, 0.1, WIDE, &failures);
	take("dqdLi", 0.1, WIDE, 0.1, 0.1L, -7);
	take("e12mbwU", FEW, one, pair, mixed, big, wide, either);
	take("iwibiUd", -7, wide, -7, big, -7, either, 0.1);
	take("iiiiiiiiiidddddddddd", -7, -7, -7, -7, -7, -7, -7, -7, -7, -7, 0.1, 0.1, 0.1, 0.1, 0.1,
	     0.1, 0.1, 0.1, 0.1, 0.1);
	by_pointer("qid", WIDE, -7, 0.1);
	by_pointer("");
	EXPECT(count_by_pointer(0) == 0);
	EXPECT(count_by_pointer(1, 2, 3, 0) == 3);
	EXPECT(nested() == 3);
	EXPECT(old());
	return failures;
}
