/* Multiplication and division of complex numbers, which compilers call by these names. Those
   of each ISA's own runtime will not do: they pass and round in their own ways. The recovery
   of infinities is that of C11, annex G.5.1, examples 1 and 2. */
#define CAT_(a, b) a##b
#define CAT(a, b) CAT_(a, b)
#define M(function) CAT(function, SUFFIX) /* of libm, for T */

/* 1 for an infinity and 0 for the rest, with the sign of x. */
static T M(box)(T x)
{
	return M(copysign)(isinf(x) ? 1 : 0, x);
}

static T M(no_nan)(T x)
{
	return isnan(x) ? M(copysign)(0, x) : x;
}

static T _Complex M(make)(T x, T y)
{
	union {
		T part[2];
		T _Complex whole;
	} u = {{x, y}};
	return u.whole;
}

/* (a + ib)(c + id) */
T _Complex MULTIPLY(T a, T b, T c, T d)
{
	T ac = a * c, bd = b * d, ad = a * d, bc = b * c;
	T x = ac - bd, y = ad + bc;
	if (!isnan(x) || !isnan(y))
		return M(make)(x, y);
	int again = 0;
	if (isinf(a) || isinf(b)) {
		a = M(box)(a), b = M(box)(b);
		c = M(no_nan)(c), d = M(no_nan)(d);
		again = 1;
	}
	if (isinf(c) || isinf(d)) {
		c = M(box)(c), d = M(box)(d);
		a = M(no_nan)(a), b = M(no_nan)(b);
		again = 1;
	}
	if (!again && (isinf(ac) || isinf(bd) || isinf(ad) || isinf(bc))) {
		a = M(no_nan)(a), b = M(no_nan)(b);
		c = M(no_nan)(c), d = M(no_nan)(d);
		again = 1;
	}
	if (!again)
		return M(make)(x, y);
	return M(make)(INFINITY * (a * c - b * d), INFINITY * (a * d + b * c));
}

/* (a + ib) / (c + id) */
T _Complex DIVIDE(T a, T b, T c, T d)
{
	int scale = 0;
	T log = M(logb)(M(fmax)(M(fabs)(c), M(fabs)(d)));
	if (isfinite(log)) {
		scale = log;
		c = M(scalbn)(c, -scale);
		d = M(scalbn)(d, -scale);
	}
	T square = c * c + d * d;
	T x = M(scalbn)((a * c + b * d) / square, -scale);
	T y = M(scalbn)((b * c - a * d) / square, -scale);
	if (!isnan(x) || !isnan(y))
		return M(make)(x, y);
	if (square == 0 && (!isnan(a) || !isnan(b)))
		return M(make)(M(copysign)(INFINITY, c) * a, M(copysign)(INFINITY, c) * b);
	if ((isinf(a) || isinf(b)) && isfinite(c) && isfinite(d)) {
		a = M(box)(a), b = M(box)(b);
		return M(make)(INFINITY * (a * c + b * d), INFINITY * (b * c - a * d));
	}
	if (isinf(log) && log > 0 && isfinite(a) && isfinite(b)) {
		c = M(box)(c), d = M(box)(d);
		return M(make)(0 * (a * c + b * d), 0 * (b * c - a * d));
	}
	return M(make)(x, y);
}
