/* Regular expressions, shell patterns, directory walks with callbacks, option parsing. */
// args: -v --level=3 -o out.txt --name last rest more
// exit: 0
#define _GNU_SOURCE
#include <dirent.h>
#include <fnmatch.h>
#include <ftw.h>
#include <getopt.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void matches(const char *pattern, const char *text)
{
	regex_t re;
	regmatch_t m[4];
	if (regcomp(&re, pattern, REG_EXTENDED) != 0) {
		printf("%s: bad pattern\n", pattern);
		return;
	}
	printf("%s on %s:", pattern, text);
	for (const char *at = text; regexec(&re, at, 4, m, at == text ? 0 : REG_NOTBOL) == 0 && *at;) {
		for (size_t i = 0; i <= re.re_nsub && i < 4; i++)
			printf(" %.*s", m[i].rm_so < 0 ? 0 : (int)(m[i].rm_eo - m[i].rm_so), at + m[i].rm_so);
		printf(";");
		at += m[0].rm_eo > 0 ? m[0].rm_eo : 1;
	}
	printf("\n");
	regfree(&re);
}

static int files, directories, depth;
static unsigned letters;

static void count(const char *name)
{
	for (; *name; name++)
		letters += *name != '/';
}

static int wanted(const struct dirent *e)
{
	count(e->d_name);
	return fnmatch("*.[ch]", e->d_name, 0) == 0;
}

static int visit(const char *path, const struct stat *s, int kind, struct FTW *at)
{
	count(path);
	files += kind == FTW_F ? (int)s->st_size : 0;
	directories += kind == FTW_D || kind == FTW_DP;
	if (at->level > depth)
		depth = at->level;
	return 0;
}

static int drop(const char *path, const struct stat *s, int kind, struct FTW *at)
{
	(void)s, (void)kind, (void)at;
	count(path);
	return remove(path);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"level", required_argument, NULL, 'l'}, {"name", required_argument, NULL, 'n'}, {NULL, 0, NULL, 0}};
	for (int c; (c = getopt_long(argc, argv, "vo:", options, NULL)) != -1;)
		printf("option %c %s\n", c, optarg ? optarg : "-");
	for (int i = optind; i < argc; i++)
		printf("operand %s\n", argv[i]);

	matches("([a-z]+)=([0-9]+)", "one=1, two=22, three=333");
	matches("(ab|cd)+(e?)f", "abcdef cdf abf");
	matches("^[^ ]+|[[:digit:]]{2,3}$", "first 1 12 123");
	matches("(x", "broken");

	const char *names[] = {"main.c", "main.h", "main.o", "util.c", "notes", "a b.c", NULL};
	mkdir("/tmp/corpus-match", 0755);
	mkdir("/tmp/corpus-match/deep", 0755);
	mkdir("/tmp/corpus-match/deep/deeper", 0755);
	char path[128];
	for (int i = 0; names[i]; i++) {
		snprintf(path, sizeof path, "/tmp/corpus-match/%s%s", i % 3 == 1 ? "deep/deeper/" : "", names[i]);
		FILE *f = fopen(path, "w");
		fprintf(f, "%*d\n", i + 1, i);
		fclose(f);
	}
	struct dirent **list;
	int n = scandir("/tmp/corpus-match", &list, wanted, alphasort);
	for (int i = 0; i < n; i++) {
		printf("found %s\n", list[i]->d_name);
		free(list[i]);
	}
	free(list);
	int r = nftw("/tmp/corpus-match", visit, 8, FTW_PHYS);
	printf("walk %d: %d bytes, %d directories, depth %d, %u letters\n", r, files, directories, depth, letters);
	r = nftw("/tmp/corpus-match", drop, 8, FTW_PHYS | FTW_DEPTH);
	printf("removed %d, left %d\n", r, access("/tmp/corpus-match", F_OK) == 0);
	return 0;
}
