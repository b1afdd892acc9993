/* Unions, bit-fields and flexible arrays. */
// exit: 0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct flags {
	unsigned a : 1, b : 3, c : 7;
	int d : 5;
	unsigned : 0;
	unsigned long e : 40, f : 24;
	_Bool g : 1;
};

union number {
	float f;
	double d;
	int i;
	unsigned char bytes[16];
};

struct packet {
	unsigned short kind, count;
	union number payload[];
};

static struct flags spin(struct flags x, int n)
{
	x.a ^= 1;
	x.b += 3;
	x.c = x.c * 5 + 1;
	x.d -= 3;
	x.e += 0x123456789UL;
	x.f ^= (unsigned)n;
	x.g = !x.g;
	return n ? spin(x, n - 1) : x;
}

int main(void)
{
	struct flags x = {0};
	x = spin(x, 30);
	printf("%d %d %d %d %lx %lx %d\n", x.a, x.b, x.c, x.d, (unsigned long)x.e, (unsigned long)x.f, x.g);
	struct packet *p = calloc(1, sizeof *p + 8 * sizeof p->payload[0]);
	for (p->count = 0; p->count < 8; p->count++) {
		union number *u = &p->payload[p->count];
		switch (p->count % 3) {
		case 0: u->f = 1.5f * p->count; break;
		case 1: u->d = -0.1 * p->count; break;
		case 2: u->i = 1 << p->count; break;
		}
	}
	for (int i = 0; i < p->count; i++) {
		for (unsigned k = 0; k < 8; k++)
			printf("%02x", p->payload[i].bytes[k]);
		printf("\n");
	}
	free(p);
	return 0;
}
