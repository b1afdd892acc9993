/* glibc's error(3), which names the program and counts. */
// exit: 4
#include <errno.h>
#include <error.h>
#include <stdio.h>
#include <unistd.h>

static void name(void)
{
	fputs("as it calls itself:", stderr);
}

int main(void)
{
	dup2(STDOUT_FILENO, STDERR_FILENO);
	printf("before, in order\n");
	error(0, 0, "%s %d", "plain", 1);
	error(0, ENOENT, "file %s", "a");
	error_at_line(0, 0, "input", 3, "syntax");
	error_at_line(0, EPERM, NULL, 3, "no file");
	error_one_per_line = 1;
	for (int line = 4; line < 8; line++)
		error_at_line(0, 0, "input", line / 2, "said once for each line");
	error_print_progname = name;
	error(0, 0, "named");
	error_at_line(0, EPERM, NULL, 3, "no file");
	printf("%u messages\n", error_message_count);
	error(4, EACCES, "the end");
	return 0;
}
