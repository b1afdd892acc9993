/* The file system: create, link, rename, truncate, directories, seeking, holes, errors. */
// exit: 0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static void say(const char *what, long r) { printf("%s: %ld%s%s\n", what, r, r < 0 ? " " : "", r < 0 ? strerror(errno) : ""); }

static int by_name(const void *a, const void *b) { return strcmp(a, b); }

static void list(const char *path)
{
	DIR *d = opendir(path);
	char names[16][64];
	int n = 0;
	for (struct dirent *e; d && (e = readdir(d)) && n < 16;)
		if (e->d_name[0] != '.')
			snprintf(names[n++], 64, "%.50s%s", e->d_name, e->d_type == DT_DIR ? "/" : e->d_type == DT_LNK ? "@" : "");
	if (d)
		closedir(d);
	qsort(names, n, 64, by_name);
	printf("%s:", path);
	for (int i = 0; i < n; i++)
		printf(" %s", names[i]);
	printf("\n");
}

static long size(const char *path)
{
	struct stat s;
	return stat(path, &s) ? -1 : (long)s.st_size;
}

int main(void)
{
	char buffer[64] = {0};
	say("mkdir", mkdir("/tmp/corpus-files", 0755));
	say("chdir", chdir("/tmp/corpus-files"));
	say("again", mkdir("../corpus-files", 0755));
	int fd = open("a", O_RDWR | O_CREAT | O_EXCL, 0644);
	say("write", write(fd, "hello, world", 12));
	say("pwrite", pwrite(fd, "HOLE", 4, 10000));
	say("lseek", lseek(fd, -4, SEEK_END));
	say("read", read(fd, buffer, 10));
	printf("%s, size %ld\n", buffer, size("a"));
	say("truncate", ftruncate(fd, 5));
	struct iovec v[2] = {{"one ", 4}, {"two", 3}};
	say("writev", (lseek(fd, 0, SEEK_END), writev(fd, v, 2)));
	say("pread", pread(fd, buffer, sizeof buffer - 1, 0));
	printf("%.12s\n", buffer);
	int copy = dup(fd);
	say("close", close(fd));
	say("through the copy", lseek(copy, 0, SEEK_CUR));
	say("closed", write(fd, "x", 1));
	say("rename", rename("a", "b"));
	say("symlink", symlink("b", "link"));
	long n = readlink("link", buffer, sizeof buffer);
	printf("%ld %.*s, size through it %ld\n", n, (int)n, buffer, size("link"));
	say("exclusive", open("b", O_CREAT | O_EXCL | O_WRONLY, 0600));
	say("missing", open("none/x", O_RDONLY));
	mkdir("sub", 0700);
	for (int i = 0; i < 5; i++) {
		snprintf(buffer, sizeof buffer, "sub/file%d", i);
		FILE *f = fopen(buffer, "a");
		for (int k = 0; k <= i; k++)
			fprintf(f, "line %d of %s\n", k, buffer);
		fclose(f);
		printf("%s %ld\n", buffer, size(buffer));
	}
	list(".");
	list("sub");
	say("rmdir full", rmdir("sub"));
	say("unlink", unlink("sub/file2"));
	say("access", access("sub/file2", F_OK));
	list("sub");
	struct stat s;
	say("lstat", lstat("link", &s));
	printf("link %d, mode of b %o\n", S_ISLNK(s.st_mode), stat("b", &s) ? 0 : s.st_mode & 0777);
	for (int i = 0; i < 5; i++)
		snprintf(buffer, sizeof buffer, "sub/file%d", i), unlink(buffer);
	unlink("link"), unlink("b");
	say("rmdir", rmdir("sub"));
	printf("%s\n", getcwd(buffer, sizeof buffer));
	say("unlinked but open", pread(copy, buffer, 5, 0));
	say("gone", (chdir("/"), rmdir("/tmp/corpus-files")));
	return 0;
}
