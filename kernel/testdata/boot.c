/* From a boot blob to arguments and files; and blobs that are cut short or lie. */
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "file.h"
#include "harness.h"
#include "thread.h"

const unsigned char __mig_tls_image[64] = {1};
const uint64_t __mig_tls_size = 48, __mig_tls_align = 32;

#define MEMORY (12ul << 20)

static uint8_t blob[4096];
static size_t len;

static void u32(uint32_t v) { memcpy(blob + len, &v, 4), len += 4; }
static void u64(uint64_t v) { memcpy(blob + len, &v, 8), len += 8; }

static void string(const char *s)
{
	u32(strlen(s));
	memcpy(blob + len, s, strlen(s) + 1);
	len += strlen(s) + 1;
}

static void file(const char *path, const char *data)
{
	u32(0640), u64(strlen(data)), u64(1500000000ull * 1000000000 + 7), string(path);
	memcpy(blob + len, data, strlen(data));
	len += strlen(data);
}

static long aux(const long *auxv, long type)
{
	for (; auxv[0] != AT_NULL; auxv += 2)
		if (auxv[0] == type)
			return auxv[1];
	harness_fail(__FILE__, __LINE__, "no auxv entry %ld", type);
	return 0;
}

void test(void)
{
	char buf[32];
	struct stat st;
	harness_map(MEMORY);
	u32(2), string("prog"), string("an argument");
	u32(1), string("KEY=value");
	size_t files = len;
	u32(2), file("/data/in/input", "some data"), file("/empty", "");
	MIG_CTL->static_end = MIG_STATIC_BASE;
	MIG_CTL->blob = MIG_PORTABLE_BASE + MEMORY - len;
	MIG_CTL->blob_size = len;
	memcpy((void *)MIG_CTL->blob, blob, len);
	__mig_start();
	EQUAL(__mig_schedule(), 0);
	CHECK(__mig_thread_is_new());
	long *arguments = thread_first.arguments;
	CHECK(__mig_ssp > thread_first.shadow_limit);
	EQUAL((uint64_t)__mig_ssp % 16, 0);

	char **argv = (char **)(arguments + 1);
	EQUAL(arguments[0], 2);
	CHECK(strcmp(argv[0], "prog") == 0 && strcmp(argv[1], "an argument") == 0 && !argv[2]);
	CHECK(strcmp(argv[3], "KEY=value") == 0 && !argv[4]);
	const long *auxv = (long *)(argv + 5);
	const Elf64_Phdr *tls = (Elf64_Phdr *)aux(auxv, AT_PHDR);
	EQUAL(aux(auxv, AT_PHNUM), 1);
	EQUAL(tls->p_type, PT_TLS);
	EQUAL(tls->p_memsz, 48);
	EQUAL(tls->p_align, 32);

	long fd = __mig_sys_openat(AT_FDCWD, (long)"data/in/input", O_RDWR, 0);
	EQUAL(fd, 3);
	EQUAL(__mig_sys_read(fd, (long)buf, 5), 5);
	EQUAL(__mig_sys_fstat(fd, (long)&st), 0);
	EQUAL(st.st_mode, S_IFREG | 0640);
	EQUAL(st.st_mtim.tv_sec, 1500000000);
	EQUAL(st.st_mtim.tv_nsec, 7);
	EQUAL(__mig_sys_write(fd, (long)"DATA!", 5), 5); /* from here on, pages of its own */
	EQUAL(__mig_sys_pread64(fd, (long)buf, 32, 0), 10);
	CHECK(memcmp(buf, "some DATA!", 10) == 0);
	CHECK(memcmp((void *)MIG_CTL->blob, blob, len) == 0);
	EQUAL(__mig_sys_newfstatat(AT_FDCWD, (long)"/empty", (long)&st, 0), 0);
	EQUAL(st.st_size, 0);

	/* Every shorter list is refused, and so are paths that lead nowhere. */
	for (size_t cut = files; cut < len; cut++)
		CHECK(!fs_unpack(blob + files, blob + cut));
	const char *bad[] = {"relative", "", "/", "/dev/null/x", "/dev", "/a/../b", "/."};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		len = 0;
		u32(1), file(bad[i], "x");
		CHECK(!fs_unpack(blob, blob + len));
	}
}
