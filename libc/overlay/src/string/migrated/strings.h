/* Searching strings by blocks of 32 bytes, where musl takes words. Blocks are aligned, as its words are, so
   that what is read behind a string's end is of the same page. */
#include <limits.h>
#include <stdint.h>

typedef uint64_t __attribute__((may_alias)) word;
typedef uint8_t block __attribute__((vector_size(32), may_alias));

#define ONES ((uint64_t)-1 / UCHAR_MAX)
#define HIGHS (ONES * (UCHAR_MAX / 2 + 1))

/* The high bit of the first byte of w that is zero, and perhaps of others behind it. */
static inline uint64_t zeros(word w)
{
	return (w - ONES) & ~w & HIGHS;
}

static inline _Bool has_zero(block b)
{
	typedef uint64_t __attribute__((vector_size(32))) words;
	return __builtin_reduce_or((words)(b == 0)) != 0; /* a test, or two of halves, on each ISA */
}

/* The first byte, memory being little-endian. */
static inline unsigned first(uint64_t zeros)
{
	return __builtin_ctzll(zeros) / CHAR_BIT;
}
