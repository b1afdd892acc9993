/* Messages that name the program, as glibc has them; musl has no such header. */
#ifndef _ERROR_H
#define _ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

/* These end the program if status is not 0. */
void error(int status, int errnum, const char *format, ...) __attribute__((__format__(__printf__, 3, 4)));
void error_at_line(int status, int errnum, const char *file, unsigned line, const char *format, ...)
	__attribute__((__format__(__printf__, 5, 6)));

extern void (*error_print_progname)(void); /* prints what comes first, if it is set */
extern unsigned error_message_count;
extern int error_one_per_line; /* one message of error_at_line for each line, not more */

#ifdef __cplusplus
}
#endif

#endif
