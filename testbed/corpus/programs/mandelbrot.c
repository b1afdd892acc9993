/* The Mandelbrot set in ASCII: a loop whose trip count no one can compute. */
// exit: 0
#include <stdio.h>

static int escape(double cr, double ci)
{
	double r = 0, i = 0;
	int n = 0;
	while (n < 200 && r * r + i * i < 4) {
		double t = r * r - i * i + cr;
		i = 2 * r * i + ci;
		r = t;
		n++;
	}
	return n;
}

int main(void)
{
	unsigned long total = 0;
	for (int y = 0; y < 20; y++) {
		for (int x = 0; x < 60; x++) {
			int n = escape(-2.1 + x * 0.05, -1.0 + y * 0.1);
			total += (unsigned)n;
			putchar(" .:-=+*#%@"[n * 9 / 200]);
		}
		putchar('\n');
	}
	printf("%lu\n", total);
	return 0;
}
