/* EP, "embarrassingly parallel": pairs of Gaussian deviates, counted by square annuli
   (RNR-94-007, section 2.2). */
#include "common/npb.h"

#include <math.h>
#include <stdio.h>

enum { BATCH = 1 << 16, ANNULI = 10 }; /* pairs generated at a time */

/* size[0]: log2 of the number of pairs; expect: the sums of X and of Y */
static const struct npb_class classes[] = {
	{'S', {24}, {-3.247834652034740e+3, -6.958407078382297e+3}},
	{'W', {25}, {-2.863319731645753e+3, -6.320053679109499e+3}},
	{'A', {28}, {-4.295875165629892e+3, -1.580732573678431e+4}},
	{0, {0}, {0}},
};

static double uniform[2 * BATCH];

int main(int argc, char **argv)
{
	const struct npb_class *class = npb_choose(classes, argc, argv);
	int batches = 1 << (class->size[0] - 16);
	double start = npb_now(), sx = 0, sy = 0, count[ANNULI] = {0};
	uint64_t seed = 271828183;

	for (int batch = 0; batch < batches; batch++) {
		for (int i = 0; i < 2 * BATCH; i++)
			uniform[i] = npb_random(&seed, NPB_A);
		for (int i = 0; i < BATCH; i++) {
			double x = 2 * uniform[2 * i] - 1, y = 2 * uniform[2 * i + 1] - 1;
			double t = x * x + y * y;
			if (t > 1)
				continue;
			double scale = sqrt(-2 * log(t) / t);
			double gx = x * scale, gy = y * scale;
			count[(int)fmax(fabs(gx), fabs(gy))] += 1;
			sx += gx;
			sy += gy;
		}
		if ((batch + 1) % (batches / 8) == 0)
			printf("batch %d of %d: sums %.12e %.12e\n", batch + 1, batches, sx, sy), fflush(stdout);
	}
	double seconds = npb_now() - start;

	for (int i = 0; i < ANNULI; i++)
		printf("annulus %d: %.0f pairs\n", i, count[i]);
	int ok = npb_check("sum of X", sx, class->expect[0], 1e-8);
	ok &= npb_check("sum of Y", sy, class->expect[1], 1e-8);
	return npb_finish("EP", class->name, ok, seconds);
}
