/* Computed gotos: tables of labels, label differences, labels kept in memory. */
static int failures;
#define EXPECT(x) (failures += !(x))

static long interpret(const unsigned char *code)
{
	static const void *const table[] = {&&push, &&add, &&mul, &&loop, &&stop, &&push};
	long stack[8], top = 0, rounds = 0;
next:
	goto *table[*code++];
push:
	stack[top++] = *code++;
	goto next;
add:
	top--;
	stack[top - 1] += stack[top];
	goto next;
mul:
	top--;
	stack[top - 1] *= stack[top];
	goto next;
loop:
	if (++rounds < 10)
		code -= 4;
	goto next;
stop:
	return stack[top - 1];
}

static int differences(int n)
{
	static const int offsets[] = {&&a - &&a, &&b - &&a, &&c - &&a};
	goto *(&&a + offsets[n]);
a:
	return 10;
b:
	return 11;
c:
	return 12;
}

/* A coroutine that keeps where it was. */
static int generate(void **where)
{
	if (*where)
		goto **where;
	*where = &&second;
	return 1;
second:
	*where = &&third;
	return 2;
third:
	*where = 0;
	return 3;
}

static int two(int x, int y)
{
	void *p = x ? &&f : &&g, *q = y ? &&g : &&f;
	int n = 0;
	goto *p;
f:
	if (n++ > 2)
		return 100 + n;
	goto *q;
g:
	return n;
}

int check(void)
{
	static const unsigned char code[] = {0, 1, 0, 2, 1, 3, 0, 3, 2, 4};
	void *where = 0;
	EXPECT(interpret(code) == 63);
	EXPECT(differences(0) == 10 && differences(1) == 11 && differences(2) == 12);
	EXPECT(generate(&where) == 1 && generate(&where) == 2 && generate(&where) == 3 && !where);
	EXPECT(two(0, 0) == 0 && two(1, 1) == 1 && two(1, 0) == 104);
	return failures;
}
