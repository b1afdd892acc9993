/* Arguments, environment, exit handlers in reverse order, and the exit status. */
// args: first "with space" -x 42
// exit: 46
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int order;
static void last(void) { printf("handler %d: last\n", ++order); }
static void middle(void) { printf("handler %d: middle\n", ++order), atexit(last); }
static void early(void) { printf("handler %d: early\n", ++order); }

int main(int argc, char **argv)
{
	atexit(middle);
	atexit(early);
	int opt, number = 0;
	for (int i = 1; i < argc; i++)
		printf("%d %s\n", i, argv[i]);
	char *options[] = {argv[0], "-a", "-n", argv[argc - 1], "rest", NULL};
	while ((opt = getopt(5, options, "an:")) != -1)
		printf("option %c %s\n", opt, opt == 'n' ? (number = atoi(optarg), optarg) : "");
	setenv("CORPUS", "set", 1);
	printf("%s %s %d\n", getenv("CORPUS"), getenv("MISSING") ? "?" : "unset", argv[argc] == NULL);
	exit(number + argc - 1);
}
