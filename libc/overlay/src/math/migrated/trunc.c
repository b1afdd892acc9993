#include <math.h>

/* One instruction on every ISA and CPU level, and exact by IEEE 754. */
double trunc(double x)
{
	return __builtin_trunc(x);
}
