/* Loops as programs have them, each with migration points of the compiler's. */
#include "roundtrip.h"

enum { N = 600 };
static double x[N], y[N];
static int a[N + 8], b[N + 8];
static unsigned char text[N];

static double dot(long n)
{
	double sum = 0;
	for (long i = 0; i < n; i++)
		sum += x[i] * y[i];
	return sum;
}

static int sums(const int *p, int n, int *most)
{
	int sum = 0, max = p[0], place = 0;
	for (int i = 0; i < n; i++) {
		sum += p[i];
		if (p[i] > max)
			max = p[i], place = i;
	}
	*most = max;
	return sum * 7 + place;
}

static long backwards(int n, int step)
{
	long sum = 0;
	for (int i = n; i > 0; i -= 3)
		sum = sum * 3 + a[i];
	for (unsigned i = 0; i < (unsigned)n; i += (unsigned)step)
		sum += b[i];
	return sum;
}

static int find(const int *p, int n, int what)
{
	int i;
	for (i = 0; i < n; i++)
		if (p[i] == what)
			break;
	return i;
}

static long length(const unsigned char *s)
{
	const unsigned char *p = s;
	while (*p)
		p++;
	return p - s;
}

static unsigned short narrow(unsigned short n)
{
	unsigned short k = 0;
	for (unsigned short i = 0; i != n; i++)
		k = (unsigned short)(k * 5 + i);
	return k;
}

struct list {
	struct list *next;
	int value;
};

static int total(const struct list *l)
{
	int sum = 0;
	for (; l; l = l->next)
		sum += l->value;
	return sum;
}

static void multiply(int n, double *c, const double *p, const double *q)
{
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++) {
			double sum = 0;
			for (int k = 0; k < n; k++)
				sum += p[i * n + k] * q[k * n + j];
			c[i * n + j] = sum;
		}
}

static int after(int n)
{
	int i, last = 0;
	for (i = 0; i < n; i++) {
		last = b[i];
		b[i] = a[i] ^ i;
	}
	return last + i * 1000;
}

static unsigned fibonacci(unsigned n)
{
	unsigned p = 0, q = 1;
	while (n--) {
		unsigned r = p + q;
		p = q;
		q = r;
	}
	return p;
}

static volatile int limit = 500;

int program(void)
{
	int n = limit, most;
	for (int i = 0; i < n; i++) {
		x[i] = i * 0.5;
		y[i] = 1.0 / (i + 1);
		a[i] = (i * 7919) % 1009;
		b[i] = a[i] - i;
		text[i] = 'x';
	}
	out_double(dot(n));
	out_double(dot(0));
	out_double(dot(1));
	out(sums(a, n, &most));
	out(most);
	out(backwards(n, 3));
	out(backwards(n, 7));
	out(find(a, n, a[321]));
	out(find(a, n, -1));
	out(length(text));
	out(narrow((unsigned short)(n * 131)));
	static struct list links[40];
	for (int i = 0; i < 40; i++)
		links[i] = (struct list){i < 39 ? &links[i + 1] : 0, i * i};
	out(total(links));
	static double c[144];
	multiply(12, c, x, y);
	out_double(c[7] + c[143]);
	out(after(n));
	out(b[n - 1]);
	out(fibonacci((unsigned)n));
	return 1;
}
