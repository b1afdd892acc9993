/* Thread-locals with all sorts of initial values and alignments. */
static int failures;
#define EXPECT(x) (failures += !(x))

static int target;
_Thread_local char first = 'f';
_Thread_local long long counter = 40;
static _Thread_local char buffer[333];
static _Thread_local _Alignas(64) short aligned[3] = {1, 2, 3};
static _Thread_local int *pointer = &target;
static _Thread_local struct { char c; double d; } record = {'r', 2.5};
static _Thread_local _Bool last = 1;
extern _Thread_local int elsewhere;

static int *address(int which) { return which ? &elsewhere : &target; }

static long long *next(void)
{
	static _Thread_local long long local = 7;
	local++;
	return &local;
}

int check(void)
{
	EXPECT(first == 'f' && counter == 40 && record.c == 'r' && record.d == 2.5 && last);
	EXPECT(((unsigned long)aligned & 63) == 0 && aligned[2] == 3);
	for (int i = 0; i < 333; i++)
		EXPECT(buffer[i] == 0);
	for (int i = 0; i < 333; i++)
		buffer[i] = 1;
	EXPECT(aligned[0] == 1 && record.d == 2.5 && first == 'f' && counter == 40 && last);
	*pointer = 5;
	EXPECT(target == 5 && *address(0) == 5 && *address(1) == -1);
	elsewhere = 9;
	EXPECT(*address(1) == 9);
	EXPECT(*next() == 8 && *next() == 9);
	return failures;
}

_Thread_local int elsewhere = -1;
