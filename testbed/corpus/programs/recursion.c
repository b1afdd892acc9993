/* Deep recursion; each level reads and writes a variable of every level above it. */
// exit: 0
#include <stdio.h>

struct level {
	struct level *above;
	int depth;
	long sum;
};

static long descend(struct level *above, int depth)
{
	struct level me = {above, depth, depth};
	if (depth < 60)
		me.sum += descend(&me, depth + 1);
	for (struct level *l = above; l; l = l->above)
		l->sum += me.depth % 3;
	return me.sum;
}

int main(void)
{
	printf("%ld\n", descend(NULL, 0));
	return 0;
}
