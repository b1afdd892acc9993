/* MG, "multigrid": V-cycles for a Poisson equation on a periodic cube (RNR-94-007,
   section 2.3). A grid of n^3 points is an array of (n+2)^3 with a rim that repeats the
   opposite side. */
#include "common/npb.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_LEVELS = 9, MAX_ROW = (1 << MAX_LEVELS) + 2, CHARGES = 10 };

/* size: log2 of the cube's side, V-cycles; expect: the residual's norm */
static const struct npb_class classes[] = {
	{'S', {5, 4}, {0.5307707005734e-04}},
	{'W', {7, 4}, {0.6467329375339e-05}},
	{'A', {8, 4}, {0.2433365309069e-05}},
	{0, {0}, {0}},
};

/* Stencils by distance of the neighbour: itself, face, edge, corner. Those that are zero
   (A's face, the smoother's corner) are left out of the loops. */
static const double A[4] = {-8.0 / 3, 0, 1.0 / 6, 1.0 / 12};
static const double C[4] = {-3.0 / 8, 1.0 / 32, -1.0 / 64, 0};

/* A grid as rows of m points: G(g, m)[k][j][i]. */
#define G(g, m) ((double(*)[m][m])(g))

static void wrap(double *grid, int m)
{
	double(*g)[m][m] = G(grid, m);
	for (int k = 1; k < m - 1; k++) {
		for (int j = 1; j < m - 1; j++) {
			g[k][j][0] = g[k][j][m - 2];
			g[k][j][m - 1] = g[k][j][1];
		}
		memcpy(g[k][0], g[k][m - 2], sizeof g[k][0]);
		memcpy(g[k][m - 1], g[k][1], sizeof g[k][0]);
	}
	memcpy(g[0], g[m - 2], sizeof g[0]);
	memcpy(g[m - 1], g[1], sizeof g[0]);
}

/* r = v - A u */
static void residual(const double *ug, const double *vg, double *rg, int m)
{
	double(*u)[m][m] = G(ug, m), (*v)[m][m] = G(vg, m), (*r)[m][m] = G(rg, m);
	double face[MAX_ROW], edge[MAX_ROW];
	for (int k = 1; k < m - 1; k++)
		for (int j = 1; j < m - 1; j++) {
			for (int i = 0; i < m; i++) {
				face[i] = u[k][j - 1][i] + u[k][j + 1][i] + u[k - 1][j][i] + u[k + 1][j][i];
				edge[i] = u[k - 1][j - 1][i] + u[k - 1][j + 1][i] + u[k + 1][j - 1][i] + u[k + 1][j + 1][i];
			}
			for (int i = 1; i < m - 1; i++)
				r[k][j][i] = v[k][j][i] - A[0] * u[k][j][i] -
					     A[2] * (edge[i] + face[i - 1] + face[i + 1]) -
					     A[3] * (edge[i - 1] + edge[i + 1]);
		}
	wrap(rg, m);
}

/* u += C r */
static void smooth(const double *rg, double *ug, int m)
{
	double(*u)[m][m] = G(ug, m), (*r)[m][m] = G(rg, m);
	double face[MAX_ROW], edge[MAX_ROW];
	for (int k = 1; k < m - 1; k++)
		for (int j = 1; j < m - 1; j++) {
			for (int i = 0; i < m; i++) {
				face[i] = r[k][j - 1][i] + r[k][j + 1][i] + r[k - 1][j][i] + r[k + 1][j][i];
				edge[i] = r[k - 1][j - 1][i] + r[k - 1][j + 1][i] + r[k + 1][j - 1][i] + r[k + 1][j + 1][i];
			}
			for (int i = 1; i < m - 1; i++)
				u[k][j][i] += C[0] * r[k][j][i] +
					      C[1] * (r[k][j][i - 1] + r[k][j][i + 1] + face[i]) +
					      C[2] * (edge[i] + face[i - 1] + face[i + 1]);
		}
	wrap(ug, m);
}

/* Full weighting: coarse point i lies at fine point 2i. */
static void restrict_grid(const double *fine, int mf, double *coarse, int mc)
{
	double(*r)[mf][mf] = G(fine, mf), (*s)[mc][mc] = G(coarse, mc);
	double face[MAX_ROW], edge[MAX_ROW];
	for (int kc = 1; kc < mc - 1; kc++)
		for (int jc = 1; jc < mc - 1; jc++) {
			int k = 2 * kc, j = 2 * jc;
			for (int i = 1; i < mf; i++) {
				face[i] = r[k][j - 1][i] + r[k][j + 1][i] + r[k - 1][j][i] + r[k + 1][j][i];
				edge[i] = r[k - 1][j - 1][i] + r[k - 1][j + 1][i] + r[k + 1][j - 1][i] + r[k + 1][j + 1][i];
			}
			for (int ic = 1; ic < mc - 1; ic++) {
				int i = 2 * ic;
				s[kc][jc][ic] = 0.5 * r[k][j][i] +
						0.25 * (r[k][j][i - 1] + r[k][j][i + 1] + face[i]) +
						0.125 * (face[i - 1] + face[i + 1] + edge[i]) +
						0.0625 * (edge[i - 1] + edge[i + 1]);
			}
		}
	wrap(coarse, mc);
}

/* fine += trilinear interpolation of coarse */
static void prolong_add(const double *coarse, int mc, double *fine, int mf)
{
	double(*z)[mc][mc] = G(coarse, mc), (*u)[mf][mf] = G(fine, mf);
	double z1[MAX_ROW], z2[MAX_ROW], z3[MAX_ROW];
	for (int k = 0; k < mc - 1; k++)
		for (int j = 0; j < mc - 1; j++) {
			for (int i = 0; i < mc; i++) {
				z1[i] = z[k][j + 1][i] + z[k][j][i];
				z2[i] = z[k + 1][j][i] + z[k][j][i];
				z3[i] = z[k + 1][j + 1][i] + z[k + 1][j][i] + z1[i];
			}
			for (int i = 0; i < mc - 1; i++) {
				u[2 * k][2 * j][2 * i] += z[k][j][i];
				u[2 * k][2 * j][2 * i + 1] += 0.5 * (z[k][j][i + 1] + z[k][j][i]);
				u[2 * k][2 * j + 1][2 * i] += 0.5 * z1[i];
				u[2 * k][2 * j + 1][2 * i + 1] += 0.25 * (z1[i] + z1[i + 1]);
				u[2 * k + 1][2 * j][2 * i] += 0.5 * z2[i];
				u[2 * k + 1][2 * j][2 * i + 1] += 0.25 * (z2[i] + z2[i + 1]);
				u[2 * k + 1][2 * j + 1][2 * i] += 0.25 * z3[i];
				u[2 * k + 1][2 * j + 1][2 * i + 1] += 0.125 * (z3[i] + z3[i + 1]);
			}
		}
}

static int width(int level) { return (1 << level) + 2; }

static size_t points(int level)
{
	size_t m = (size_t)width(level);
	return m * m * m;
}

/* One V-cycle; u[l], r[l]: solution and residual on the grid of side 2^l. */
static void v_cycle(double **u, const double *v, double **r, int top)
{
	for (int l = top; l > 1; l--)
		restrict_grid(r[l], width(l), r[l - 1], width(l - 1));
	memset(u[1], 0, points(1) * sizeof *u[1]);
	smooth(r[1], u[1], width(1));
	for (int l = 2; l <= top; l++) {
		if (l < top)
			memset(u[l], 0, points(l) * sizeof *u[l]);
		prolong_add(u[l - 1], width(l - 1), u[l], width(l));
		residual(u[l], l < top ? r[l] : v, r[l], width(l));
		smooth(r[l], u[l], width(l));
	}
}

static double norm(const double *grid, int m)
{
	double(*g)[m][m] = G(grid, m), sum = 0, n = m - 2;
	for (int k = 1; k < m - 1; k++)
		for (int j = 1; j < m - 1; j++)
			for (int i = 1; i < m - 1; i++)
				sum += g[k][j][i] * g[k][j][i];
	return sqrt(sum / (n * n * n));
}

struct extreme {
	double value;
	int k, j, i;
};

/* Keeps the CHARGES largest of sign * value, the largest first. */
static void keep(struct extreme *best, struct extreme e, double sign)
{
	int at = CHARGES;
	while (at > 0 && (best[at - 1].k == 0 || sign * e.value > sign * best[at - 1].value))
		at--;
	if (at == CHARGES)
		return;
	memmove(&best[at + 1], &best[at], (size_t)(CHARGES - 1 - at) * sizeof *best);
	best[at] = e;
}

/* Charges of +1 where the random field has its ten largest values, -1 at the smallest. */
static void make_charges(double *grid, int level)
{
	int m = width(level);
	double(*v)[m][m] = G(grid, m);
	struct extreme high[CHARGES] = {0}, low[CHARGES] = {0};
	uint64_t seed = 314159265;
	for (int k = 1; k < m - 1; k++)
		for (int j = 1; j < m - 1; j++)
			for (int i = 1; i < m - 1; i++) {
				struct extreme e = {npb_random(&seed, NPB_A), k, j, i};
				keep(high, e, 1);
				keep(low, e, -1);
			}
	memset(grid, 0, points(level) * sizeof *grid);
	for (int n = 0; n < CHARGES; n++) {
		v[high[n].k][high[n].j][high[n].i] = 1;
		v[low[n].k][low[n].j][low[n].i] = -1;
	}
	wrap(grid, m);
}

int main(int argc, char **argv)
{
	const struct npb_class *class = npb_choose(classes, argc, argv);
	int top = class->size[0], m = width(top);
	double *u[MAX_LEVELS + 1], *r[MAX_LEVELS + 1], *v = npb_alloc(points(top), sizeof *v);
	for (int l = 1; l <= top; l++) {
		u[l] = npb_alloc(points(l), sizeof *u[l]);
		r[l] = npb_alloc(points(l), sizeof *r[l]);
	}
	make_charges(v, top);

	double start = npb_now();
	residual(u[top], v, r[top], m);
	printf("initial residual %.13e\n", norm(r[top], m));
	for (int it = 1; it <= class->size[1]; it++) {
		v_cycle(u, v, r, top);
		residual(u[top], v, r[top], m);
		printf("cycle %d: residual %.13e\n", it, norm(r[top], m));
		fflush(stdout);
	}
	double seconds = npb_now() - start;
	int ok = npb_check("residual", norm(r[top], m), class->expect[0], 1e-8);
	return npb_finish("MG", class->name, ok, seconds);
}
