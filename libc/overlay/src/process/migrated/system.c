/* There is no shell: system(NULL) says so, and a command fails as fork does. */
#include <stdlib.h>
#include <unistd.h>

int system(const char *command)
{
	return command ? fork() : 0;
}
