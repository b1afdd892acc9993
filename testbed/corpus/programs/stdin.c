/* Reads its standard input line by line, waiting where there is none yet. */
// stdin: the quick brown fox\njumps over\n\nthe lazy dog\nlast line without end
// exit: 5
#include <ctype.h>
#include <stdio.h>

int main(void)
{
	int lines = 0, words = 0, c, in_word = 0, letters[26] = {0};
	char line[80];
	while (fgets(line, sizeof line, stdin)) {
		lines++;
		for (char *p = line; (c = (unsigned char)*p); p++) {
			if (isalpha(c))
				letters[tolower(c) - 'a']++;
			words += !isspace(c) && !in_word;
			in_word = !isspace(c);
		}
		in_word = 0;
		printf("%d: %s", lines, line);
	}
	printf("\n%d lines, %d words\n", lines, words);
	for (int i = 0; i < 26; i++)
		printf("%c%d%c", 'a' + i, letters[i], i == 25 ? '\n' : ' ');
	return lines;
}
