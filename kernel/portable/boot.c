/* A fresh start: from the boot blob to a thread that can run main. */
#include <elf.h>

#include "blob.h"
#include "thread.h"

/* The tls pass's initial thread-local block. */
extern const unsigned char __mig_tls_image[];
extern const uint64_t __mig_tls_size, __mig_tls_align;

#define AUX_WORDS 32

static Elf64_Phdr tls_header;
static uint8_t auxiliary_random[16];

/* Linux tells libc about the thread-local segment by program headers; so does this. */
static long *put_auxv(long *at)
{
	tls_header = (Elf64_Phdr){
		.p_type = PT_TLS,
		.p_vaddr = (uint64_t)__mig_tls_image,
		.p_filesz = __mig_tls_size,
		.p_memsz = __mig_tls_size,
		.p_align = __mig_tls_align,
	};
	random_bytes(auxiliary_random, sizeof auxiliary_random);
	const long auxv[] = {
		AT_PHDR, (long)&tls_header,
		AT_PHENT, sizeof tls_header,
		AT_PHNUM, __mig_tls_size ? 1 : 0,
		AT_PAGESZ, PAGE,
		AT_RANDOM, (long)auxiliary_random,
		AT_UID, 0, AT_EUID, 0, AT_GID, 0, AT_EGID, 0,
		AT_SECURE, 0,
		AT_CLKTCK, 100,
		AT_NULL, 0,
	};
	_Static_assert(sizeof auxv <= AUX_WORDS * sizeof(long), "room for auxv");
	memcpy(at, auxv, sizeof auxv);
	return at + sizeof auxv / sizeof *auxv;
}

/* Stores pointers to count strings, and the NULL behind them. */
static bool put_strings(struct blob *b, uint32_t count, long **at)
{
	for (uint32_t i = 0; i < count; i++) {
		const char *s;
		uint32_t len;
		if (!blob_string(b, &s, &len))
			return false;
		*(*at)++ = (long)s;
	}
	*(*at)++ = 0;
	return true;
}

/* argc, argv, envp, auxv, as main's caller in libc expects them. Strings stay in the blob. */
static long *new_arguments(struct blob *b)
{
	uint32_t argc, envc;
	struct blob counting = *b;
	if (!blob_u32(&counting, &argc))
		return NULL;
	for (uint32_t i = 0; i < argc; i++) {
		const char *s;
		uint32_t len;
		if (!blob_string(&counting, &s, &len))
			return NULL;
	}
	if (!blob_u32(&counting, &envc) || envc > (uint64_t)(counting.end - counting.at) / 5)
		return NULL;
	uint64_t words = 1 + argc + 1 + envc + 1 + AUX_WORDS;
	long *arguments = page_alloc(PAGES(words * sizeof(long))), *at = arguments;
	if (!arguments)
		panic_out_of_memory("no memory for the program's arguments");
	*at++ = argc;
	if (!blob_u32(b, &argc) || !put_strings(b, argc, &at) || !blob_u32(b, &envc) ||
	    !put_strings(b, envc, &at))
		return NULL;
	put_auxv(at);
	return arguments;
}

NATIVE_CALLS void __mig_start(void)
{
	if (MIG_CTL->abi_version != MIG_ABI_VERSION)
		__mig_panic("the host speaks another version of the guest interface");
	uint64_t blob = MIG_CTL->blob, end = MIG_PORTABLE_BASE + MIG_CTL->mem_size;
	if (blob < MIG_CTL->static_end || blob > end || MIG_CTL->blob_size > end - blob)
		__mig_panic("the boot blob does not lie behind the program's data");
	struct blob b = {(const uint8_t *)blob, (const uint8_t *)blob + MIG_CTL->blob_size};
	page_init(MIG_CTL->static_end, blob & ~(PAGE - 1));
	random_reseed();
	clock_start();
	fs_init();
	long *arguments = new_arguments(&b);
	if (!arguments || !fs_unpack(b.at, b.end))
		__mig_panic("the boot blob is damaged, or its files are in each other's way");
	thread_init((void *)MIG_STATIC_BASE, (void *)MIG_PORTABLE_BASE, arguments);
}
