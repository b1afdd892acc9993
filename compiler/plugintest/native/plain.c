/* What programs of testdata/roundtrip call, for a build that cannot move. */
#include <stdio.h>
#include <stdlib.h>

void __mig_leave(void) {}
int leave_here(void) { return 0; }
void out(long value) { printf("%ld\n", value); }
void out_double(double value) { printf("%a\n", value); }
void out_string(const char *s) { puts(s); }

void __mig_thread_main(void);

void finish(int status) { exit(status); }

int main(void) { __mig_thread_main(); }
