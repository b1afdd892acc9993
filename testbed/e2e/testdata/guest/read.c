/* read: numbers the lines of its input. */
#include <stdio.h>

#include "guest.h"

int read_command(int argc, char **argv)
{
	char line[256];
	int n = 0;
	(void)argc, (void)argv;
	printf("reading\n");
	while (fgets(line, sizeof line, stdin))
		printf("%d: %s", ++n, line);
	printf("end of input\n");
	return 5;
}
