/* Atomic operations on more than a register holds. */
// exit: 0
#include <stdatomic.h>
#include <stdio.h>

struct three {
	long a, b, c;
};

static int tick(int n) { return n > 0 ? tick(n - 1) + 1 : 0; }

static _Atomic __int128 wide;
static _Atomic struct three record;

static void print(const char *what, __int128 n)
{
	printf("%s %llx %llx\n", what, (unsigned long long)(n >> 64), (unsigned long long)n);
}

int main(void)
{
	atomic_store(&wide, (__int128)tick(7) << 70);
	print("stored", atomic_load(&wide));
	print("exchanged", atomic_exchange(&wide, tick(3)));
	__int128 expected = 3;
	int done = atomic_compare_exchange_strong(&wide, &expected, (__int128)1 << 100);
	printf("%d\n", done);
	done = atomic_compare_exchange_strong(&wide, &expected, 5);
	printf("%d\n", done);
	print("found", expected);
	print("added to", atomic_fetch_add(&wide, tick(9)));
	print("masked", atomic_fetch_and(&wide, 8));
	for (int i = 0; i < 12; i++) {
		wide += (__int128)tick(i) << 62;
		print("summed", wide);
	}
	struct three r = {1, tick(2), 3}, old;
	atomic_store(&record, r);
	r.c = tick(30);
	old = atomic_exchange(&record, r);
	r = atomic_load(&record);
	printf("%ld %ld %ld, then %ld\n", old.a, old.b, old.c, r.c);
	return 0;
}
