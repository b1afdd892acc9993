/* goto into loops, crossing loops, irreducible control flow with values live around it. */
// exit: 0
#include <stdio.h>

static int cross(int n, int enter)
{
	int a = n, b = 1, steps = 0;
	if (enter & 1)
		goto second;
first:
	a = a * 3 + b;
	if (++steps > n)
		goto out;
	if (a & enter)
		goto second;
	b ^= a;
second:
	b = b * 5 - a;
	printf("%d ", (a ^ b) & 15);
	if (b % 3)
		goto first;
	a += b % 7;
	if (steps++ < n)
		goto second;
	goto first;
out:
	printf("\n");
	return a ^ b;
}

static int middle(int n)
{
	int i = 0, sum = 0;
	if (n % 2)
		goto inside;
	for (; i < n; i++) {
		sum += i;
inside:
		for (int k = 0; k < 3; k++) {
			if (k == n % 3)
				goto next;
			sum += k * i;
			putchar('.');
		}
next:
		sum ^= i;
	}
	return sum;
}

int main(void)
{
	for (int n = 0; n < 6; n++)
		printf("%d\n", cross(8 + n, n));
	for (int n = 0; n < 6; n++)
		printf("%d\n", middle(n));
	void *targets[] = {&&one, &&two, &&three, &&end};
	int visits = 0;
	goto *targets[0];
one:
	visits++;
	goto *targets[2];
two:
	visits += 10;
	goto *targets[visits > 60 ? 3 : 0];
three:
	visits += 5;
	goto *targets[1];
end:
	printf("%d\n", visits);
	return 0;
}
