/* What a new thread runs: the program's main by way of libc, or what clone was given. */
#include "thread.h"

extern int main(int argc, char **argv, char **envp);
int __libc_start_main(int (*)(int, char **, char **), int, char **, void (*)(void),
		      void (*)(void), void (*)(void));

/* main may have two parameters or none: called directly, the third is dropped. */
static int run_main(int argc, char **argv, char **envp)
{
	return main(argc, argv, envp);
}

NATIVE_CALLS void __mig_thread_main(void)
{
	struct thread *t = thread_current();
	if (t->start)
		thread_exit(t->start->run(t->start->argument));
	long *arguments = t->arguments;
	__libc_start_main(run_main, arguments[0], (char **)(arguments + 1), NULL, NULL, NULL);
}
