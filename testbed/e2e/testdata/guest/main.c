/* guest COMMAND ARGUMENT... */
#include <stdio.h>
#include <string.h>

#include "guest.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"sleep", sleep_command},
	{"read", read_command},
	{"fill", fill_command},
	{"crash", crash_command},
	{"threads", threads_command},
};

int main(int argc, char **argv)
{
	setvbuf(stdout, 0, _IOLBF, 0);
	for (unsigned i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 2, argv + 2);
	fprintf(stderr, "guest: unknown command\n");
	return 2;
}
