#include <math.h>

#define T double
#define SUFFIX 
#define MULTIPLY __muldc3
#define DIVIDE __divdc3
#include "complex_arithmetic.h"
