/* As in glibc: an old name. */
#include <unistd.h>
