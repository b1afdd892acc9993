/* Constructors and destructors, weak symbols, aliases. */
// exit: 0
#include <stdio.h>

static int stage;
__attribute__((constructor(101))) static void first(void) { stage = stage * 10 + 1; }
__attribute__((constructor(102))) static void second(void) { stage = stage * 10 + 2; }
__attribute__((constructor)) static void third(void) { stage = stage * 10 + 3; }
__attribute__((destructor)) static void bye(void) { printf("bye %d\n", stage); }

extern int absent(int) __attribute__((weak));
__attribute__((weak)) int overridable(int x) { return x + 1; }
static int original(int x) { return x * 2 + stage; }
int renamed(int x) __attribute__((alias("original")));
static int data = 17;
extern int same_data __attribute__((alias("data")));

int main(void)
{
	printf("stage %d\n", stage);
	printf("absent %s\n", absent ? "present" : "missing");
	int sum = 0;
	for (int i = 0; i < 10; i++)
		sum += overridable(i) + renamed(i);
	same_data++;
	printf("%d %d %d\n", sum, data, original(1) == renamed(1));
	return 0;
}
