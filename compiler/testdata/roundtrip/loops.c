#include "roundtrip.h"

/* Many live values of different types over points in nested loops. */
static double mixed(int rows, short step, float scale, unsigned char mask, __int128 wide)
{
	double sum = 0;
	long double precise = 1;
	for (int i = 0; i < rows; i++) {
		long row = i * 3;
		for (int j = 0; j < 4; j++) {
			_Bool odd = (i ^ j) & 1;
			POINT();
			sum += (odd ? scale : step) * (double)(row + j);
			wide = wide * 5 + (mask ^ j);
			precise = precise / 2 + j;
		}
		POINT();
		mask = (unsigned char)(mask * 7 + row);
	}
	out((long)(wide >> 64));
	out((long)wide);
	out_double((double)precise);
	return sum + mask;
}

struct pair { long a, b; };
struct big { long v[9]; };

static struct pair swap(struct pair p)
{
	POINT();
	return (struct pair){p.b, p.a + 1};
}

static struct big grow(struct big b, int by)
{
	for (int i = 0; i < 9; i++) {
		b.v[i] += by * i;
		POINT();
	}
	return b;
}

typedef int v4 __attribute__((vector_size(16)));

static v4 lanes(v4 a, int n)
{
	v4 sum = {0, 0, 0, 0};
	for (int i = 0; i < n; i++) {
		sum += a * i;
		POINT();
	}
	return sum;
}

static long buffers(int n)
{
	long sum = 0;
	for (int i = 1; i < n; i++) {
		int array[i];
		for (int j = 0; j < i; j++)
			array[j] = i * j;
		POINT();
		for (int j = 0; j < i; j++)
			sum += array[j];
	}
	_Alignas(64) char aligned[64] = "aligned";
	POINT();
	return sum + ((long)aligned & 63) + aligned[3];
}

int program(void)
{
	out_double(mixed(7, -3, 1.5f, 77, 12345678901234567ll));
	struct pair p = {1, 2};
	for (int i = 0; i < 9; i++)
		p = swap(p);
	out(p.a * 1000 + p.b);
	struct big b = {{1, 2, 3}};
	b = grow(grow(b, 2), 3);
	long sum = 0;
	for (int i = 0; i < 9; i++)
		sum = sum * 3 + b.v[i];
	out(sum);
	v4 l = lanes((v4){1, -2, 3, 4}, 10);
	out(l[0] + 10 * l[1] + 100 * l[2] + 1000 * l[3]);
	out(buffers(12));
	return 0;
}
