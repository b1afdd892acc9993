/* Dense, sparse and string-like switches, with fall-through and nested loops. */
// exit: 0
#include <stdio.h>

static const char *classify(int n)
{
	switch (n) {
	case 0: return "zero";
	case 1: case 2: case 3: return "few";
	case 10 ... 19: return "teens";
	case 1000: return "thousand";
	case 1000000: return "million";
	case -2147483647: return "least";
	default: return n < 0 ? "negative" : "many";
	}
}

static int machine(const char *input)
{
	enum { START, WORD, NUMBER, SPACE } state = START;
	int words = 0, numbers = 0;
	for (;; input++) {
		printf("%s", "");
		switch (*input) {
		case 0:
			return words * 100 + numbers;
		case '0': case '1': case '2': case '3': case '4':
		case '5': case '6': case '7': case '8': case '9':
			if (state != WORD && state != NUMBER)
				numbers++, state = NUMBER;
			break;
		case ' ': case '\t':
			state = SPACE;
			break;
		default:
			if (state == NUMBER)
				numbers--;
			if (state != WORD)
				words++;
			state = WORD;
		}
	}
}

static void copy(char *to, const char *from, int count)
{
	int n = (count + 7) / 8; /* Duff's device */
	switch (count % 8) {
	case 0: do { *to++ = *from++; /* fall through */
	case 7: *to++ = *from++; /* fall through */
	case 6: *to++ = *from++; /* fall through */
	case 5: *to++ = *from++; /* fall through */
	case 4: *to++ = *from++; /* fall through */
	case 3: *to++ = *from++; /* fall through */
	case 2: *to++ = *from++; /* fall through */
	case 1: *to++ = *from++;
		putchar('.');
		} while (--n > 0);
	}
}

int main(void)
{
	static const int values[] = {0, 2, 10, 15, 20, 1000, 1000000, -1, -2147483647, 99};
	for (unsigned i = 0; i < sizeof values / sizeof *values; i++)
		printf("%d %s\n", values[i], classify(values[i]));
	printf("%d\n", machine("one 2 three4 55 x6 7 eight"));
	char out[32] = {0};
	copy(out, "The device of Tom Duff.", 23);
	printf("\n%s\n", out);
	return 0;
}
