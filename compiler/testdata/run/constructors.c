/* Constructors in the order of their priorities, found by aliases and through weak symbols. */
static int failures;
#define EXPECT(x) (failures += !(x))

static int order[4], steps;

__attribute__((constructor)) static void late(void) { order[steps++] = 3; }
__attribute__((constructor(300))) static void middle(void) { order[steps++] = 2; }
__attribute__((constructor(200))) static void early(void) { order[steps++] = 1; }
__attribute__((constructor)) static void later(void) { order[steps++] = 4; }

extern void (*const __init_array_start)(void), (*const __init_array_end)(void);

/* As musl walks them. */
void constructors(void)
{
	for (unsigned long a = (unsigned long)&__init_array_start;
	     a < (unsigned long)&__init_array_end; a += sizeof(void (*)(void)))
		(*(void (**)(void))a)();
}

static int value(void) { return 42; }
int second_name(void) __attribute__((weak, alias("value")));
static int table[4] = {1, 2, 3, 4};
extern int same_table[4] __attribute__((alias("table")));
int absent(void) __attribute__((weak));

int check(void)
{
	EXPECT(steps == 4);
	for (int i = 0; i < 4; i++)
		EXPECT(order[i] == i + 1);
	EXPECT(second_name() == 42 && (void *)second_name == (void *)value);
	same_table[2] = 30;
	EXPECT(table[2] == 30 && same_table == table);
	EXPECT(!absent);
	return failures;
}
