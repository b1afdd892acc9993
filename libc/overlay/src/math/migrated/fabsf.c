#include <math.h>

/* One instruction on every ISA and CPU level, and exact by IEEE 754. */
float fabsf(float x)
{
	return __builtin_fabsf(x);
}
