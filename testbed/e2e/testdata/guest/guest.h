/* The commands of the guest that end-to-end tests run. Each takes what follows its name on
   the command line and returns the exit status. */
int sleep_command(int argc, char **argv);
int read_command(int argc, char **argv);
int fill_command(int argc, char **argv);
int crash_command(int argc, char **argv);
int threads_command(int argc, char **argv);
