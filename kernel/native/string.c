/* memcpy and its like, compiled for each ISA. They have one address in all builds, for a
   program may point at them. */
#include <stddef.h>
#include <stdint.h>

#define PINNED(name) __attribute__((section(".mig.text." #name)))

/* Any alignment, any type. */
typedef uint8_t block __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint64_t word __attribute__((aligned(1), may_alias));
typedef uint32_t half __attribute__((aligned(1), may_alias));
typedef uint16_t quarter __attribute__((aligned(1), may_alias));

#define AT(type, p, offset) (*(type *)((uint8_t *)(p) + (offset)))
#define FROM(type, p, offset) (*(const type *)((const uint8_t *)(p) + (offset)))

/* All loads come before all stores, so that overlapping is no matter. */
static inline void move_small(void *to, const void *from, size_t n)
{
	if (n >= 16) { /* up to 32 */
		block a = FROM(block, from, 0), z = FROM(block, from, n - 16);
		AT(block, to, 0) = a;
		AT(block, to, n - 16) = z;
	} else if (n >= 8) {
		word a = FROM(word, from, 0), z = FROM(word, from, n - 8);
		AT(word, to, 0) = a;
		AT(word, to, n - 8) = z;
	} else if (n >= 4) {
		half a = FROM(half, from, 0), z = FROM(half, from, n - 4);
		AT(half, to, 0) = a;
		AT(half, to, n - 4) = z;
	} else if (n >= 2) {
		quarter a = FROM(quarter, from, 0), z = FROM(quarter, from, n - 2);
		AT(quarter, to, 0) = a;
		AT(quarter, to, n - 2) = z;
	} else if (n) {
		AT(uint8_t, to, 0) = FROM(uint8_t, from, 0);
	}
}

static inline void move_64(void *to, const void *from, size_t at)
{
	block a = FROM(block, from, at), b = FROM(block, from, at + 16);
	block c = FROM(block, from, at + 32), d = FROM(block, from, at + 48);
	AT(block, to, at) = a;
	AT(block, to, at + 16) = b;
	AT(block, to, at + 32) = c;
	AT(block, to, at + 48) = d;
}

/* 33 to 128 bytes: both ends, which may overlap each other. */
static inline void move_medium(void *to, const void *from, size_t n)
{
	block a = FROM(block, from, 0), b = FROM(block, from, 16);
	block y = FROM(block, from, n - 32), z = FROM(block, from, n - 16);
	if (n > 64) {
		block c = FROM(block, from, 32), d = FROM(block, from, 48);
		block w = FROM(block, from, n - 64), x = FROM(block, from, n - 48);
		AT(block, to, 32) = c;
		AT(block, to, 48) = d;
		AT(block, to, n - 64) = w;
		AT(block, to, n - 48) = x;
	}
	AT(block, to, 0) = a;
	AT(block, to, 16) = b;
	AT(block, to, n - 32) = y;
	AT(block, to, n - 16) = z;
}

static inline void move_up(void *to, const void *from, size_t n)
{
	/* The end is loaded before anything is stored over it. */
	block w = FROM(block, from, n - 64), x = FROM(block, from, n - 48);
	block y = FROM(block, from, n - 32), z = FROM(block, from, n - 16);
	for (size_t at = 0; at < n - 64; at += 64)
		move_64(to, from, at);
	AT(block, to, n - 64) = w;
	AT(block, to, n - 48) = x;
	AT(block, to, n - 32) = y;
	AT(block, to, n - 16) = z;
}

static inline void move_down(void *to, const void *from, size_t n)
{
	block a = FROM(block, from, 0), b = FROM(block, from, 16);
	block c = FROM(block, from, 32), d = FROM(block, from, 48);
	for (size_t at = n; at > 64; at -= 64)
		move_64(to, from, at - 64);
	AT(block, to, 0) = a;
	AT(block, to, 16) = b;
	AT(block, to, 32) = c;
	AT(block, to, 48) = d;
}

PINNED(memcpy) void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	if (n <= 32)
		move_small(to, from, n);
	else if (n <= 128)
		move_medium(to, from, n);
	else
		move_up(to, from, n);
	return to;
}

PINNED(memmove) void *memmove(void *to, const void *from, size_t n)
{
	if (n <= 32)
		move_small(to, from, n);
	else if (n <= 128)
		move_medium(to, from, n);
	else if ((uintptr_t)to - (uintptr_t)from >= n)
		move_up(to, from, n);
	else
		move_down(to, from, n);
	return to;
}

PINNED(memset) void *memset(void *to, int c, size_t n)
{
	uint8_t byte = c;
	if (n >= 16) {
		block b = byte - (block){0};
		for (size_t at = 0; at < n - 16; at += 16)
			AT(block, to, at) = b;
		AT(block, to, n - 16) = b;
		return to;
	}
	word w = byte * 0x0101010101010101ull;
	if (n >= 8) {
		AT(word, to, 0) = w;
		AT(word, to, n - 8) = w;
	} else if (n >= 4) {
		AT(half, to, 0) = (uint32_t)w;
		AT(half, to, n - 4) = (uint32_t)w;
	} else if (n >= 2) {
		AT(quarter, to, 0) = (uint16_t)w;
		AT(quarter, to, n - 2) = (uint16_t)w;
	} else if (n) {
		AT(uint8_t, to, 0) = byte;
	}
	return to;
}

PINNED(memcmp) int memcmp(const void *a, const void *b, size_t n)
{
	size_t at = 0;
	for (; n - at >= 8; at += 8) {
		uint64_t x = FROM(word, a, at), y = FROM(word, b, at);
		if (x != y) {
			x = __builtin_bswap64(x); /* little endian: the first byte counts most */
			y = __builtin_bswap64(y);
			return x < y ? -1 : 1;
		}
	}
	for (; at < n; at++)
		if (FROM(uint8_t, a, at) != FROM(uint8_t, b, at))
			return FROM(uint8_t, a, at) - FROM(uint8_t, b, at);
	return 0;
}

PINNED(bcmp) int bcmp(const void *a, const void *b, size_t n)
{
	return memcmp(a, b, n);
}
