/* Compression and back: bit twiddling, hash chains, byte buffers. */
// exit: 0
#include <stdio.h>
#include <string.h>

static unsigned char text[6000], packed[8000], back[6000];
static int head[256], chain[6000];

static int match(int at, int candidate, int end)
{
	int n = 0;
	while (at + n < end && n < 66 && text[candidate + n] == text[at + n])
		n++;
	return n;
}

static int compress(int n)
{
	int out = 0;
	memset(head, -1, sizeof head);
	for (int i = 0; i < n;) {
		int best = 0, from = 0, tries = 16;
		for (int c = head[text[i]]; c >= 0 && i - c < 4096 && tries--; c = chain[c]) {
			int m = match(i, c, n);
			if (m > best)
				best = m, from = c;
		}
		int take = best > 3 ? best : 1;
		if (best > 3) {
			int distance = i - from;
			packed[out++] = 0;
			packed[out++] = (unsigned char)(best - 3);
			packed[out++] = (unsigned char)(distance >> 8);
			packed[out++] = (unsigned char)distance;
		} else {
			packed[out++] = text[i];
		}
		for (; take; take--, i++) {
			chain[i] = head[text[i]];
			head[text[i]] = i;
		}
	}
	return out;
}

static int expand(int n)
{
	int out = 0;
	for (int i = 0; i < n;) {
		if (packed[i]) {
			back[out++] = packed[i++];
			continue;
		}
		int m = packed[i + 1] + 3, d = packed[i + 2] << 8 | packed[i + 3];
		for (int k = 0; k < m; k++, out++)
			back[out] = back[out - d];
		i += 4;
	}
	return out;
}

int main(void)
{
	int n = 0;
	for (int i = 0; n < 5900; i++)
		n += sprintf((char *)text + n, "%d bottles of %s on the wall; ", i * i % 99, i % 3 ? "beer" : "milk");
	int c = compress(n), m = expand(c);
	unsigned h = 0;
	for (int i = 0; i < c; i++)
		h = h * 31 + packed[i];
	printf("%d to %d to %d, hash %u, %s\n", n, c, m, h, m == n && !memcmp(text, back, (size_t)n) ? "same" : "different");
	return 0;
}
