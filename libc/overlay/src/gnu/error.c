/* glibc's error(3). */
#define _GNU_SOURCE
#include <errno.h>
#include <error.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void (*error_print_progname)(void);
unsigned error_message_count;
int error_one_per_line;

static void name_program(void)
{
	fflush(stdout); /* what was printed before stays before it */
	if (error_print_progname)
		error_print_progname();
	else
		fprintf(stderr, "%s:", program_invocation_name);
}

static void say(int status, int errnum, const char *format, va_list arguments)
{
	vfprintf(stderr, format, arguments);
	error_message_count++;
	if (errnum)
		fprintf(stderr, ": %s", strerror(errnum));
	fputc('\n', stderr);
	fflush(stderr);
	if (status)
		exit(status);
}

void error(int status, int errnum, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	name_program();
	if (!error_print_progname)
		fputc(' ', stderr);
	say(status, errnum, format, arguments);
	va_end(arguments);
}

void error_at_line(int status, int errnum, const char *file, unsigned line, const char *format, ...)
{
	static const char *last_file;
	static unsigned last_line;
	if (error_one_per_line) {
		if (last_line == line && last_file && (file == last_file || (file && !strcmp(file, last_file))))
			return;
		last_file = file;
		last_line = line;
	}
	va_list arguments;
	va_start(arguments, format);
	name_program();
	if (file)
		fprintf(stderr, "%s:%u: ", file, line);
	else
		fputc(' ', stderr);
	say(status, errnum, format, arguments);
	va_end(arguments);
}
