/* CG, "conjugate gradient": the smallest eigenvalue of a large sparse matrix by inverse
   iteration (RNR-94-007, section 2.4; the matrix: section 2.4.3). */
#include "common/npb.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { OUTER = 15, INNER = 25 };
#define RCOND 0.1

/* size: order of the matrix, nonzeros of a generating vector, shift */
static const struct npb_class classes[] = {
	{'S', {1400, 7, 10}, {8.5971775078648}},
	{'W', {7000, 8, 12}, {10.362595087124}},
	{'A', {14000, 11, 20}, {17.130235054029}},
	{0, {0}, {0}},
};

struct matrix {
	int n;
	int *row;      /* [n+1] where each row begins in column and value */
	int *column;   /* ascending within a row */
	double *value;
};

/* A sparse vector with entry `own` = 0.5 among random ones. */
struct sparse {
	int count;
	int *index;
	double *value;
};

static void random_sparse(struct sparse *v, int n, int nonzeros, int own, uint64_t *seed)
{
	int power = 1;
	while (power < n)
		power *= 2;
	v->count = 0;
	while (v->count < nonzeros) {
		double value = npb_random(seed, NPB_A), where = npb_random(seed, NPB_A);
		int i = (int)(power * where), seen = 0;
		if (i >= n)
			continue;
		for (int k = 0; k < v->count && !seen; k++)
			seen = v->index[k] == i;
		if (seen)
			continue;
		v->index[v->count] = i;
		v->value[v->count++] = value;
	}
	int at = 0;
	while (at < v->count && v->index[at] != own)
		at++;
	v->index[at] = own;
	v->value[at] = 0.5;
	if (at == v->count)
		v->count++;
}

/* Adds x at (row, column), keeping the row's columns in order; filled[row] counts. */
static void accumulate(struct matrix *a, int *filled, int row, int column, double x)
{
	int begin = a->row[row], k = begin + filled[row];
	while (k > begin && a->column[k - 1] > column)
		k--;
	if (k > begin && a->column[k - 1] == column) {
		a->value[k - 1] += x;
		return;
	}
	for (int m = begin + filled[row]; m > k; m--) {
		a->column[m] = a->column[m - 1];
		a->value[m] = a->value[m - 1];
	}
	a->column[k] = column;
	a->value[k] = x;
	filled[row]++;
}

/* The sum of weighted outer products of the sparse vectors, plus (RCOND - shift) I. */
static struct matrix make_matrix(int n, int nonzeros, double shift, uint64_t *seed)
{
	struct sparse *v = npb_alloc(n, sizeof *v);
	struct matrix a = {.n = n, .row = npb_alloc(n + 1, sizeof *a.row)};
	int *filled = npb_alloc(n, sizeof *filled);

	for (int i = 0; i < n; i++) {
		v[i].index = npb_alloc(nonzeros + 1, sizeof *v[i].index);
		v[i].value = npb_alloc(nonzeros + 1, sizeof *v[i].value);
		random_sparse(&v[i], n, nonzeros, i, seed);
		for (int k = 0; k < v[i].count; k++)
			a.row[v[i].index[k] + 1] += v[i].count;
	}
	for (int i = 0; i < n; i++)
		a.row[i + 1] += a.row[i];
	a.column = npb_alloc(a.row[n], sizeof *a.column);
	a.value = npb_alloc(a.row[n], sizeof *a.value);

	double weight = 1, ratio = pow(RCOND, 1.0 / n);
	for (int i = 0; i < n; i++, weight *= ratio)
		for (int k = 0; k < v[i].count; k++) {
			int row = v[i].index[k];
			double scale = weight * v[i].value[k];
			for (int m = 0; m < v[i].count; m++) {
				double x = v[i].value[m] * scale;
				if (v[i].index[m] == row && row == i)
					x += RCOND - shift;
				accumulate(&a, filled, row, v[i].index[m], x);
			}
		}

	int used = 0; /* close the gaps that shared entries left */
	for (int i = 0; i < n; i++) {
		int begin = a.row[i];
		a.row[i] = used;
		for (int k = begin; k < begin + filled[i]; k++, used++) {
			a.column[used] = a.column[k];
			a.value[used] = a.value[k];
		}
		free(v[i].index);
		free(v[i].value);
	}
	a.row[n] = used;
	free(v);
	free(filled);
	return a;
}

static void multiply(const struct matrix *a, const double *restrict x, double *restrict y)
{
	for (int i = 0; i < a->n; i++) {
		double sum = 0;
		for (int k = a->row[i]; k < a->row[i + 1]; k++)
			sum += a->value[k] * x[a->column[k]];
		y[i] = sum;
	}
}

static double dot(int n, const double *x, const double *y)
{
	double sum = 0;
	for (int i = 0; i < n; i++)
		sum += x[i] * y[i];
	return sum;
}

/* Solves a z = x approximately; returns the norm of x - a z. */
static double conjugate_gradient(const struct matrix *a, const double *x, double *z, double *p, double *q, double *r)
{
	int n = a->n;
	for (int i = 0; i < n; i++) {
		z[i] = q[i] = 0;
		r[i] = p[i] = x[i];
	}
	double rho = dot(n, r, r);
	for (int step = 0; step < INNER; step++) {
		multiply(a, p, q);
		double alpha = rho / dot(n, p, q), rho_before = rho;
		for (int i = 0; i < n; i++) {
			z[i] += alpha * p[i];
			r[i] -= alpha * q[i];
		}
		rho = dot(n, r, r);
		double beta = rho / rho_before;
		for (int i = 0; i < n; i++)
			p[i] = r[i] + beta * p[i];
	}
	multiply(a, z, r);
	double sum = 0;
	for (int i = 0; i < n; i++)
		sum += (x[i] - r[i]) * (x[i] - r[i]);
	return sqrt(sum);
}

int main(int argc, char **argv)
{
	const struct npb_class *class = npb_choose(classes, argc, argv);
	int n = class->size[0];
	double shift = class->size[2], zeta = 0;
	uint64_t seed = 314159265;
	npb_random(&seed, NPB_A); /* the specification drops the first number */

	struct matrix a = make_matrix(n, class->size[1], shift, &seed);
	double *x = npb_alloc(n, sizeof *x), *z = npb_alloc(n, sizeof *z), *p = npb_alloc(n, sizeof *p);
	double *q = npb_alloc(n, sizeof *q), *r = npb_alloc(n, sizeof *r);
	for (int i = 0; i < n; i++)
		x[i] = 1;

	double start = npb_now();
	for (int it = 1; it <= OUTER; it++) {
		double residual = conjugate_gradient(&a, x, z, p, q, r);
		zeta = shift + 1 / dot(n, x, z);
		double scale = 1 / sqrt(dot(n, z, z));
		for (int i = 0; i < n; i++)
			x[i] = scale * z[i];
		printf("iteration %2d: residual %.5e zeta %.13f\n", it, residual, zeta);
		fflush(stdout);
	}
	double seconds = npb_now() - start;
	int ok = npb_check("zeta", zeta, class->expect[0], 1e-10);
	return npb_finish("CG", class->name, ok, seconds);
}
