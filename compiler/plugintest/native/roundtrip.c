/*
 * The runtime of docs/runtime-abi.md in one process, for programs of testdata/roundtrip: at
 * every n-th migration point the thread leaves its machine stack, which is then overwritten,
 * and comes back on another. Usage: program [n]; n = 0: never.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unwind.h>

#define STACK_SIZE (8ul << 20)
#define RECORDS_SIZE (16ul << 20)
#define SHADOW_SIZE (8ul << 20)
#define CTL_BASE 0x02000000ul /* kernel/include/host_abi.h */

/* Portable data. */
char *__mig_ssp, *__mig_ssp_limit, *__mig_tp;
uint64_t __mig_epoch = 1;
extern uint64_t __mig_fid;
unsigned char __mig_result[256] __attribute__((aligned(16)));

extern void (*const __mig_sites[])(void *, uint32_t);
extern const int64_t __mig_site_count, __mig_record_max;
extern const char __mig_tls_image[] __attribute__((weak));
extern const int64_t __mig_tls_size __attribute__((weak));
void __mig_thread_main(void);
void __mig_leave(void);
void __mig_saved(uint32_t site, uint32_t size);

static void die(const char *why)
{
	fflush(stdout);
	fprintf(stderr, "roundtrip: %s\n", why);
	_Exit(99);
}

void __mig_stack_overflow(void) { die("the shadow stack is full"); }

/* Records: `top` points behind the innermost one, which ends with its head. */
struct head {
	uint32_t site, size;
	uint64_t pad;
};
static char *records, *top;
static struct {
	char *at;
	struct head head;
} *leaving; /* innermost first */
static long leaving_count;
static char *scratch; /* the records of a leave before they are put in order */

static long padded(long size) { return (size + 15) & -16; }

static void *record_room(void)
{
	if (scratch + __mig_record_max + 4096 > records + 2 * RECORDS_SIZE)
		die("too many records");
	return scratch;
}

static void record_done(uint32_t site, uint32_t size)
{
	if (site >= __mig_site_count || size > __mig_record_max)
		die("a bad site number or size");
	leaving[leaving_count].at = scratch;
	leaving[leaving_count++].head = (struct head){site, size, 0};
	scratch += padded(size);
}

static void records_in_order(void)
{
	memset(top, 0x5a, (size_t)__mig_record_max + 4096);
	for (long i = leaving_count; i-- > 0;) {
		memcpy(top, leaving[i].at, leaving[i].head.size);
		top += padded(leaving[i].head.size);
		memcpy(top, &leaving[i].head, sizeof(struct head));
		top += sizeof(struct head);
	}
}

/* Machine stacks. */
static ucontext_t outside, inside;
static char *stacks[2];
static int stack;
static uint32_t jump_site;
static void *jump_record; /* a longjmp to a frame that is a record */
static long points, period, leaves;

static void driver(void)
{
	static int started;
	if (!started) {
		started = 1;
		__mig_thread_main();
		die("the thread returned natively"); /* programs end in finish() */
	}
	if (jump_record) {
		void *record = jump_record;
		jump_record = NULL;
		__mig_sites[jump_site](record, jump_site);
	}
	while (top > records) {
		struct head head;
		memcpy(&head, top - sizeof head, sizeof head);
		top -= sizeof head + padded(head.size);
		__mig_sites[head.site](top, head.site);
	}
	die("the thread has no frames left");
}

static void give_up_stack(void)
{
	__mig_epoch++;
	setcontext(&outside);
}

static struct _Unwind_Exception unwinding;

static _Unwind_Reason_Code each_frame(int version, _Unwind_Action actions,
				      _Unwind_Exception_Class class, struct _Unwind_Exception *e,
				      struct _Unwind_Context *frame, void *unused)
{
	(void)version, (void)class, (void)e, (void)unused;
	uintptr_t function = _Unwind_GetRegionStart(frame);
	if (function == (uintptr_t)driver) {
		records_in_order();
		give_up_stack();
	}
	if (actions & _UA_END_OF_STACK)
		die("the unwinder missed the driver");
	if (!_Unwind_GetLanguageSpecificData(frame) && function != (uintptr_t)__mig_leave &&
	    function != (uintptr_t)__mig_saved)
		die("a frame that cannot be saved");
	return _URC_NO_REASON;
}

void __mig_leave(void)
{
	leaves++;
	leaving_count = 0;
	scratch = records + RECORDS_SIZE;
	memset(&unwinding, 0, sizeof unwinding);
	_Unwind_ForcedUnwind(&unwinding, each_frame, NULL);
	die("the stack cannot be unwound");
}

void __mig_saved(uint32_t site, uint32_t size)
{
	record_done(site, size);
	_Unwind_Resume(&unwinding);
}

static uint64_t uleb(const uint8_t **p)
{
	uint64_t value = 0;
	int shift = 0;
	do
		value |= (uint64_t)(**p & 0x7f) << shift, shift += 7;
	while (*(*p)++ & 0x80);
	return value;
}

/* The call-site table, with the encodings that LLVM uses for x86-64 ELF. */
static uintptr_t landing_pad(const uint8_t *p, uintptr_t function, uintptr_t pc)
{
	if (*p++ != 0xff)
		die("an LSDA with a start of its own");
	if (*p++ != 0xff)
		uleb(&p);
	uint8_t encoding = *p++;
	if (encoding != 0x01)
		die("an unknown call-site encoding");
	const uint8_t *end = p;
	uint64_t length = uleb(&end);
	p = end;
	end += length;
	while (p < end) {
		uintptr_t start = function + uleb(&p), size = uleb(&p), pad = uleb(&p);
		uleb(&p);
		if (pc >= start && pc < start + size)
			return pad ? function + pad : 0;
	}
	return 0;
}

_Unwind_Reason_Code __mig_personality(int version, _Unwind_Action actions,
				      _Unwind_Exception_Class class,
				      struct _Unwind_Exception *e, struct _Unwind_Context *frame)
{
	(void)version, (void)class, (void)e;
	if (!(actions & _UA_FORCE_UNWIND))
		die("an unwind that is not a migration");
	/* The pad's own call is in the same frame: it has no pad. */
	uintptr_t pad = landing_pad((const uint8_t *)_Unwind_GetLanguageSpecificData(frame),
				    _Unwind_GetRegionStart(frame), _Unwind_GetIP(frame) - 1);
	if (!pad)
		return _URC_CONTINUE_UNWIND;
	_Unwind_SetGR(frame, 0, (uintptr_t)record_room());
	_Unwind_SetGR(frame, 1, 0);
	_Unwind_SetIP(frame, pad);
	return _URC_INSTALL_CONTEXT;
}

/* setjmp: words 0-21 registers, 22 epoch, 23 fid, 24 site, 25 slot. */
__asm__(".globl __mig_setjmp\n"
	"__mig_setjmp:\n"
	"	mov %rbx, (%rdi)\n mov %rbp, 8(%rdi)\n mov %r12, 16(%rdi)\n mov %r13, 24(%rdi)\n"
	"	mov %r14, 32(%rdi)\n mov %r15, 40(%rdi)\n lea 8(%rsp), %rax\n mov %rax, 48(%rdi)\n"
	"	mov (%rsp), %rax\n mov %rax, 56(%rdi)\n"
	"	mov __mig_epoch(%rip), %rax\n mov %rax, 176(%rdi)\n"
	"	mov %rsi, 184(%rdi)\n mov %edx, %edx\n mov %rdx, 192(%rdi)\n mov %rcx, 200(%rdi)\n"
	"	xor %eax, %eax\n ret\n"
	"jump:\n"
	"	mov %esi, %eax\n mov (%rdi), %rbx\n mov 8(%rdi), %rbp\n mov 16(%rdi), %r12\n"
	"	mov 24(%rdi), %r13\n mov 32(%rdi), %r14\n mov 40(%rdi), %r15\n mov 48(%rdi), %rsp\n"
	"	jmp *56(%rdi)\n");
void jump(uint64_t *buffer, int value) __attribute__((noreturn));

void __mig_longjmp(uint64_t *buffer, int value)
{
	if (!value)
		value = 1;
	if (buffer[22] == __mig_epoch)
		jump(buffer, value);
	uint64_t *slot = (uint64_t *)buffer[25];
	if (!slot)
		die("longjmp over a move to a frame that cannot have moved");
	if (slot[22] == __mig_epoch && slot[23] == buffer[23])
		jump(slot, value);
	while (top > records) {
		struct head head;
		memcpy(&head, top - sizeof head, sizeof head);
		top -= sizeof head + padded(head.size);
		uint64_t fid;
		memcpy(&fid, top, sizeof fid);
		if (__mig_sites[head.site] != __mig_sites[buffer[24]] || fid != buffer[23])
			continue;
		memcpy(__mig_result, &value, sizeof value);
		jump_record = top;
		jump_site = (uint32_t)buffer[24];
		give_up_stack();
	}
	die("longjmp to a dead frame");
}

/* What programs call. */
int leave_here(void) { return ++points, period && points % period == 0; }

void out(long value) { printf("%ld\n", value); }
void out_double(double value) { printf("%a\n", value); }
void out_string(const char *s) { puts(s); }

void finish(int status)
{
	fflush(stdout);
	fprintf(stderr, "%ld points, %ld leaves\n", points, leaves);
	_Exit(status);
}

static void *memory(uint64_t at, size_t size)
{
	void *p = mmap((void *)at, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (at ? MAP_FIXED_NOREPLACE : 0), -1, 0);
	if (p == MAP_FAILED)
		die("no memory");
	return p;
}

int main(int argc, char **argv)
{
	period = argc > 1 ? atol(argv[1]) : 0;
	uint32_t *ctl = memory(CTL_BASE, 4096);
	*ctl = 1; /* pending: every poll takes its slow path */
	records = top = memory(0, 2 * RECORDS_SIZE);
	leaving = memory(0, sizeof *leaving << 20);
	__mig_ssp_limit = memory(0, SHADOW_SIZE);
	__mig_ssp = __mig_ssp_limit + SHADOW_SIZE;
	if (&__mig_tls_size) {
		__mig_tp = memory(0, (size_t)__mig_tls_size + 4096);
		memcpy(__mig_tp, __mig_tls_image, (size_t)__mig_tls_size);
	}
	stacks[0] = memory(0, STACK_SIZE);
	stacks[1] = memory(0, STACK_SIZE);
	getcontext(&outside);
	/* Here again after each leave: the old stack holds nothing that anybody may read. */
	char *old = stacks[stack];
	stack = !stack;
	if (leaves)
		memset(old + STACK_SIZE - 65536, 0xa5, 65536);
	getcontext(&inside);
	inside.uc_stack.ss_sp = stacks[stack];
	inside.uc_stack.ss_size = STACK_SIZE;
	inside.uc_link = NULL;
	makecontext(&inside, driver, 0);
	setcontext(&inside);
	return 99;
}
