/* musl's own, with an answer to its weak reference to _DYNAMIC: all references of a build
   must be defined, and no image has a dynamic section. */
#define _DYNAMIC __mig_no_dynamic
#include "../__init_tls.c"

hidden const size_t _DYNAMIC[1];
