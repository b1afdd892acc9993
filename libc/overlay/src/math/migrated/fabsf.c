#include <math.h>

/* One instruction on every ISA, and exact by IEEE 754. */
float fabsf(float x)
{
	return __builtin_fabsf(x);
}
