/* Mutual recursion through a table of function pointers: a recursive-descent calculator. */
// exit: 0
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

struct parser {
	const char *at;
	int depth, deepest;
};

static double sum(struct parser *p);

static double number(struct parser *p)
{
	char *end;
	double x = strtod(p->at, &end);
	p->at = end;
	return x;
}

static double group(struct parser *p)
{
	p->at++;
	double x = sum(p);
	p->at++;
	return x;
}

static double negate(struct parser *p)
{
	double (*next)(struct parser *) = *++p->at == '(' ? group : number;
	return -next(p);
}

static double (*const start[128])(struct parser *) = {['('] = group, ['-'] = negate};

static double atom(struct parser *p)
{
	double (*f)(struct parser *) = start[(int)*p->at];
	return f ? f(p) : number(p);
}

static double product(struct parser *p)
{
	double x = atom(p);
	while (*p->at == '*' || *p->at == '/')
		x = *p->at++ == '*' ? x * atom(p) : x / atom(p);
	return x;
}

static double sum(struct parser *p)
{
	if (++p->depth > p->deepest)
		p->deepest = p->depth;
	double x = product(p);
	while (*p->at == '+' || *p->at == '-')
		x = *p->at++ == '+' ? x + product(p) : x - product(p);
	p->depth--;
	return x;
}

int main(void)
{
	static const char *texts[] = {
		"1+2*3", "(1+2)*3", "-(4-6)*2.5", "1/3+1/7-1/11", "((((((2))))))*((3+(4*(5+(6*7)))))",
		"10-4-3", "2*3*4/5/6", "-1-(-2)",
	};
	for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct parser p = {texts[i], 0, 0};
		double x = sum(&p);
		printf("%s = %.17g (depth %d, rest \"%s\")\n", texts[i], x, p.deepest, p.at);
	}
	return 0;
}
