/* Structures of all sizes by value, in and out, through calls that can move. */
// exit: 0
#include <stdio.h>
#include <string.h>

#define SIZED(n)                                                             \
	struct s##n {                                                        \
		unsigned char b[n];                                          \
	};                                                                   \
	static struct s##n make##n(int seed)                                 \
	{                                                                    \
		struct s##n s;                                               \
		for (int i = 0; i < n; i++)                                  \
			s.b[i] = (unsigned char)(seed * 31 + i * 7);         \
		return s;                                                    \
	}                                                                    \
	static struct s##n turn##n(struct s##n a, int by, struct s##n b)     \
	{                                                                    \
		if (by == 0)                                                 \
			return a;                                            \
		for (int i = 0; i < n; i++)                                  \
			a.b[i] = (unsigned char)(a.b[i] * 3 + b.b[(i + by) % n]); \
		return turn##n(b, by - 1, a);                                \
	}                                                                    \
	static void test##n(void)                                            \
	{                                                                    \
		struct s##n s = turn##n(make##n(n), 5, make##n(n + 1));      \
		unsigned sum = 0;                                            \
		for (int i = 0; i < n; i++)                                  \
			sum = sum * 131 + s.b[i];                            \
		printf("%d bytes: %u\n", n, sum);                            \
	}

SIZED(1) SIZED(2) SIZED(3) SIZED(4) SIZED(5) SIZED(7) SIZED(8) SIZED(9) SIZED(12) SIZED(15)
SIZED(16) SIZED(17) SIZED(24) SIZED(31) SIZED(32) SIZED(33) SIZED(48) SIZED(64) SIZED(100)

int main(void)
{
	test1(), test2(), test3(), test4(), test5(), test7(), test8(), test9(), test12(), test15();
	test16(), test17(), test24(), test31(), test32(), test33(), test48(), test64(), test100();
	return 0;
}
