/* FT, "3-D FFT": a partial differential equation solved in Fourier space (RNR-94-007,
   section 2.6). One forward transform of random data, then for each step an evolution and an
   inverse transform, of which 1024 points are summed. */
#include "common/npb.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
	double re, im;
} complex;

enum {
	MAX_SIDE = 256,
	STEPS = 6,
	BLOCK = 16, /* rows that are transformed side by side */
};

static const double ALPHA = 1e-6; /* of the equation, du/dt = alpha * Laplacian of u */

/* size: points in x, y, z */
static const struct npb_class classes[] = {
	{'S', {64, 64, 64}, {0}},
	{'W', {128, 128, 32}, {0}},
	{'A', {256, 256, 128}, {0}},
	{0, {0}, {0}},
};

/* The official checksums of each step. */
static const struct {
	char class;
	complex sum[STEPS];
} expected[] = {
	{'S', {{5.546087004964e+02, 4.845363331978e+02}, {5.546385409189e+02, 4.865304269511e+02},
	       {5.546148406171e+02, 4.883910722336e+02}, {5.545423607415e+02, 4.901273169046e+02},
	       {5.544255039624e+02, 4.917475857993e+02}, {5.542683411902e+02, 4.932597244941e+02}}},
	{'W', {{5.673612178944e+02, 5.293246849175e+02}, {5.631436885271e+02, 5.282149986629e+02},
	       {5.594024089970e+02, 5.270996558037e+02}, {5.560698047020e+02, 5.260027904925e+02},
	       {5.530898991250e+02, 5.249400845633e+02}, {5.504159734538e+02, 5.239212247086e+02}}},
	{'A', {{5.046735008193e+02, 5.114047905510e+02}, {5.059412319734e+02, 5.098809666433e+02},
	       {5.069376896287e+02, 5.098144042213e+02}, {5.077892868474e+02, 5.101336130759e+02},
	       {5.085233095391e+02, 5.104914655194e+02}, {5.091487099959e+02, 5.107917842803e+02}}},
};

static int nx, ny, nz;

static complex roots[MAX_SIDE]; /* e^(i pi k / m) for m = 1, 2, 4 ...: m of them at roots[m] */

static void make_roots(void)
{
	for (int m = 1; m < MAX_SIDE; m *= 2)
		for (int k = 0; k < m; k++)
			roots[m + k] = (complex){cos(M_PI * k / m), sin(M_PI * k / m)};
}

/* One pass of Stockham's transform of n points: pairs of points n/2 apart become neighbours
   in groups of m. sign: of the exponent. */
static void pass(int n, int m, double sign, complex (*restrict to)[BLOCK], complex (*restrict from)[BLOCK])
{
	int half = n / 2, groups = half / m;
	for (int g = 0; g < groups; g++)
		for (int k = 0; k < m; k++) {
			complex w = roots[m + k], *low = from[g * m + k], *high = from[g * m + k + half];
			complex *sum = to[2 * g * m + k], *difference = to[2 * g * m + m + k];
			w.im *= sign;
			for (int b = 0; b < BLOCK; b++) {
				complex t = {w.re * high[b].re - w.im * high[b].im,
					     w.re * high[b].im + w.im * high[b].re};
				sum[b] = (complex){low[b].re + t.re, low[b].im + t.im};
				difference[b] = (complex){low[b].re - t.re, low[b].im - t.im};
			}
		}
}

/* Transforms BLOCK rows of n points at once. They are as far apart as between says, their
   points as far as step says. */
static void transform_rows(complex *rows, int n, size_t step, size_t between, double sign)
{
	static complex a[MAX_SIDE][BLOCK], b[MAX_SIDE][BLOCK];
	for (int i = 0; i < n; i++)
		for (int j = 0; j < BLOCK; j++)
			a[i][j] = rows[(size_t)i * step + (size_t)j * between];
	complex(*from)[BLOCK] = a, (*to)[BLOCK] = b;
	for (int m = 1; m < n; m *= 2) {
		pass(n, m, sign, to, from);
		complex(*t)[BLOCK] = from;
		from = to;
		to = t;
	}
	for (int i = 0; i < n; i++)
		for (int j = 0; j < BLOCK; j++)
			rows[(size_t)i * step + (size_t)j * between] = from[i][j];
}

/* Transforms the whole cube, in place. */
static void transform(complex *u, double sign)
{
	size_t row = (size_t)nx, plane = row * (size_t)ny;
	for (int z = 0; z < nz; z++)
		for (int y = 0; y < ny; y += BLOCK)
			transform_rows(u + (size_t)z * plane + (size_t)y * row, nx, 1, row, sign);
	for (int z = 0; z < nz; z++)
		for (int x = 0; x < nx; x += BLOCK)
			transform_rows(u + (size_t)z * plane + x, ny, row, 1, sign);
	for (int y = 0; y < ny; y++)
		for (int x = 0; x < nx; x += BLOCK)
			transform_rows(u + (size_t)y * row + x, nz, plane, 1, sign);
}

/* The frequency of index i of n, squared. */
static double square(int i, int n)
{
	int k = i < n / 2 ? i : i - n;
	return (double)k * k;
}

/* A factor for each frequency, by which one step damps it. */
static void make_damping(double *d)
{
	for (int z = 0; z < nz; z++)
		for (int y = 0; y < ny; y++)
			for (int x = 0; x < nx; x++)
				*d++ = exp(-4 * ALPHA * M_PI * M_PI * (square(x, nx) + square(y, ny) + square(z, nz)));
}

/* u *= d; v = u */
static void evolve(complex *restrict u, complex *restrict v, const double *restrict d, size_t points)
{
	for (size_t i = 0; i < points; i++) {
		u[i].re *= d[i];
		u[i].im *= d[i];
		v[i] = u[i];
	}
}

static complex checksum(const complex *u, size_t points)
{
	complex sum = {0, 0};
	for (int j = 1; j <= 1024; j++) {
		size_t at = ((size_t)(5 * j % nz) * (size_t)ny + (size_t)(3 * j % ny)) * (size_t)nx + (size_t)(j % nx);
		sum.re += u[at].re;
		sum.im += u[at].im;
	}
	return (complex){sum.re / (double)points, sum.im / (double)points};
}

static const complex *expectation(char class)
{
	int n = 0;
	while (expected[n].class != class)
		n++;
	return expected[n].sum;
}

int main(int argc, char **argv)
{
	const struct npb_class *class = npb_choose(classes, argc, argv);
	const complex *want = expectation(class->name);
	nx = class->size[0], ny = class->size[1], nz = class->size[2];
	size_t points = (size_t)nx * (size_t)ny * (size_t)nz;
	complex *u = npb_alloc(points, sizeof *u), *v = npb_alloc(points, sizeof *v);
	double *damping = npb_alloc(points, sizeof *damping);
	uint64_t seed = 314159265;

	double start = npb_now();
	make_roots();
	make_damping(damping);
	for (size_t i = 0; i < points; i++) {
		u[i].re = npb_random(&seed, NPB_A);
		u[i].im = npb_random(&seed, NPB_A);
	}
	transform(u, 1);
	int ok = 1;
	for (int step = 0; step < STEPS; step++) {
		evolve(u, v, damping, points);
		transform(v, -1);
		complex sum = checksum(v, points);
		ok &= npb_check("real part", sum.re, want[step].re, 1e-12);
		ok &= npb_check("imaginary part", sum.im, want[step].im, 1e-12);
		fflush(stdout);
	}
	double seconds = npb_now() - start;
	return npb_finish("FT", class->name, ok, seconds);
}
