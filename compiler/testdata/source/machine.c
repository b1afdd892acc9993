/* What is tied to one machine, one stack or one CPU. */
void *frame(void) { return __builtin_frame_address(0); }
void *caller(void) { return __builtin_return_address(0); }
unsigned long long counter(void) { return __builtin_readcyclecounter(); }

int next(int);
int tail(int x) { __attribute__((musttail)) return next(x + 1); }

register long stack_pointer __asm__("sp");
long named(void) { return stack_pointer; }

void fresh_code(char *from, char *to) { __builtin___clear_cache(from, to); }

__attribute__((target("arch=+v"))) unsigned long vectors(void)
{
	return __builtin_rvv_vsetvlimax(3, 0);
}

__attribute__((interrupt)) void handler(void) {}

static void plain(void) {}
static void *choose(void) { return plain; }
void chosen(void) __attribute__((ifunc("choose")));
