#include <math.h>

#define T long double
#define SUFFIX l
#define MULTIPLY __multc3
#define DIVIDE __divtc3
#include "complex_arithmetic.h"
