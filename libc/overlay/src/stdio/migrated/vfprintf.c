// musl's vfprintf, but for the sign of a NaN. That of one which an operation has made is its
// CPU's (0.0/0.0 is negative on x86-64, positive on aarch64), so no NaN is printed with one.
#include <math.h>

static int printed_sign(long double y)
{
	return y == y && signbit(y);
}

#undef signbit
#define signbit(y) printed_sign(y)
#include "../vfprintf.c"
