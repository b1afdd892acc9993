/* Keeps an address of machine-private memory over migration points. */
#include <stdio.h>

static void *volatile where = (void *)0x02000000; /* the control page */

int main(void)
{
	void *kept = where;
	for (int i = 0; i < 100; i++)
		printf("%d\n", i);
	printf("%p\n", kept);
}
