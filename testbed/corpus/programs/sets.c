/* A linker set: what lies in one section, from anywhere, between its two bounds. */
// exit: 0
#include <stdio.h>

struct command {
	const char *name;
	int (*run)(int);
};

/* A section of functions means nothing. */
__attribute__((noinline, section("rarely"))) static int count(int n) { return n > 0 ? count(n - 1) + 1 : 0; }
static int tick(int n) { return count(n); }
static int twice(int n) { return tick(n) + n; }
static int square(int n) { return n * tick(n); }

#define COMMAND(f) static const struct command *const command_##f __attribute__((section("commands"), used)) = \
	&(const struct command){#f, f}
COMMAND(twice);
COMMAND(square);
COMMAND(tick);

extern const struct command *const __start_commands[], *const __stop_commands[];

/* Written to, and known by name too. */
static double first __attribute__((section("numbers"), used)) = 1.5;
static double second __attribute__((section("numbers"), used)) = 2.5;
extern double __start_numbers[], __stop_numbers[];

extern const int __start_nothing[] __attribute__((weak)), __stop_nothing[] __attribute__((weak));

int main(void)
{
	/* In which order they lie is the compiler's affair. */
	int sum = 0;
	for (const struct command *const *c = __start_commands; c < __stop_commands; c++)
		sum += (*c)->run(12) * (*c)->name[1];
	for (int i = 0; i < 12; i++) {
		second += tick(i);
		first++;
		printf("%g %g\n", first, second);
	}
	double product = 1;
	for (double *d = __start_numbers; d < __stop_numbers; d++)
		product *= *d;
	printf("%d commands: %d, %d numbers: %g, %d\n", (int)(__stop_commands - __start_commands), sum,
		(int)(__stop_numbers - __start_numbers), product, __start_nothing == NULL && __stop_nothing == NULL);
	return 0;
}
