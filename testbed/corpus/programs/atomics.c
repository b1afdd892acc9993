/* C11 atomics of every size, and volatile. */
// exit: 0
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

static _Atomic uint8_t a8;
static _Atomic uint16_t a16;
static _Atomic uint32_t a32;
static _Atomic uint64_t a64;
static _Atomic(void *) pointer;
static atomic_flag flag = ATOMIC_FLAG_INIT;
static volatile int shared;

static unsigned long spin(int n)
{
	while (atomic_flag_test_and_set(&flag))
		;
	for (int i = 0; i < n; i++) {
		atomic_fetch_add(&a8, 7), atomic_fetch_xor(&a16, (uint16_t)(i * 259));
		atomic_fetch_sub_explicit(&a32, 3, memory_order_relaxed);
		uint64_t old = atomic_load(&a64);
		while (!atomic_compare_exchange_weak(&a64, &old, old * 5 + 1))
			;
		shared = shared + i;
		printf("%s", "");
	}
	atomic_flag_clear(&flag);
	return a64;
}

int main(void)
{
	printf("%lu\n", spin(40));
	atomic_store(&pointer, &a8);
	void *old = atomic_exchange(&pointer, &a16);
	printf("%u %u %u %d %d\n", a8, a16, a32, shared, old == &a8 && pointer == &a16);
	uint32_t expected = 5;
	int swapped = atomic_compare_exchange_strong(&a32, &expected, 1);
	printf("%d %d\n", swapped, expected == a32);
	uint32_t before = atomic_fetch_or(&a32, 0xf), between = atomic_fetch_and(&a32, 0xff);
	printf("%u %u %u\n", before, between, a32);
	return 0;
}
