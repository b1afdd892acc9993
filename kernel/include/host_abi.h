/*
 * The contract between a guest (program + library OS) and its host (a VMM or a
 * tender). docs/guest-host.md explains it; vmm/hostabi mirrors it in Go, and a
 * test there compiles this header and compares every offset.
 *
 * MIG_ABI_VERSION is raised whenever a field, an operation or a rule changes
 * meaning. New fields go to the end of what is there. A host refuses an image of
 * another version.
 */
#ifndef MIGRATED_HOST_ABI_H
#define MIGRATED_HOST_ABI_H

#include <stddef.h>
#include <stdint.h>

#define MIG_ABI_VERSION 2

/* Virtual addresses, the same in every build and on every host. */
#define MIG_CTL_BASE        0x02000000UL /* struct mig_ctl, one page, RW, private */
#define MIG_GATE_BASE       0x02001000UL /* the host's code, one page, RX, private */
#define MIG_DOORBELL_BASE   0x02002000UL /* a page of no memory: KVM gates store here */
#define MIG_OUT_RING_BASE   0x02010000UL /* struct mig_ring, RW, private: guest -> host */
#define MIG_IN_RING_BASE    0x02030000UL /* struct mig_ring, RW, private: host -> guest */
#define MIG_TEXT_BASE       0x04000000UL /* constants and text: R-- and R-X, private; docs/image.md */
#define MIG_PRIVATE_BASE    0x30000000UL /* data of native objects, RW, private */
#define MIG_PORTABLE_BASE   0x40000000UL /* all that travels, RW, never executable */
#define MIG_STATIC_BASE     0x40800000UL /* the image's data. Below it lies the shadow stack of
					    the first thread: overflowing, it meets no memory */
#define MIG_CPU_STACK_BASE  0x6f00000000UL /* machine stack of CPU i: [BASE+i*SIZE, +SIZE) */
#define MIG_CPU_STACK_SIZE  0x10000UL
#define MIG_STACK_BASE      0x7000000000UL /* machine stack of thread i: [BASE+i*STRIDE, +STRIDE) */
#define MIG_STACK_STRIDE    0x4000000UL  /* 64 MiB, sparse */
#define MIG_STACK_SIZE      0x3ff0000UL  /* mapped of the first thread's, up to its end */
#define MIG_STACK_SIZE_REST 0x200000UL   /* mapped of each other thread's */
#define MIG_THREADS_MAX     256          /* machine stacks, and so threads at one time */
#define MIG_PAGE_SIZE       4096UL

/* Bits of mig_ctl.pending. The host sets (atomic or), the guest clears (atomic and). */
#define MIG_PEND_MIGRATE 0x01u /* leave every machine stack, then ring MIG_OP_LEFT */
#define MIG_PEND_STOP    0x02u /* terminate: as if by SIGTERM's default action */
#define MIG_PEND_INPUT   0x04u /* the input ring or in_eof changed: wake who waits */
#define MIG_PEND_ALARM   0x08u /* the time that MIG_OP_ALARM gave has come */
#define MIG_PEND_COUNT   0x10u /* tests: count migration points, see countdown */

/* mig_ctl.boot */
#define MIG_BOOT_START  0u /* a fresh program: bss is zero, run from the beginning */
#define MIG_BOOT_RESUME 1u /* portable memory holds threads that have left */

/* Doorbell operations: fill op and arg[], call the gate, read ret. */
#define MIG_OP_FLUSH   1u /* output ring has data; arg0 != 0: return only when it has room */
#define MIG_OP_WAIT    2u /* block until pending has a bit other than COUNT, or until
                             mono time arg0 (ns; ~0: for ever) */
#define MIG_OP_EXIT    3u /* arg0 exit code, arg1 terminating signal or 0; never returns */
#define MIG_OP_LEFT    4u /* every thread has left; returns only if the move is called off:
                             the guest then resumes from the same records */
#define MIG_OP_RESUMED 5u /* threads run again, or wait as they did */
#define MIG_OP_PANIC   6u /* arg0,arg1: message; arg2: MIG_PANIC_*; arg3: terminating signal,
                             0: that of the kind; never returns */
#define MIG_OP_CLOCK   7u /* refresh clock_* */
#define MIG_OP_LOG     8u /* arg0,arg1: a message for the host's log */
#define MIG_OP_ALARM   9u /* set PEND_ALARM at mono time arg0 (ns; ~0: never), once. There is
                             one alarm: a new one takes the old one's place, LEFT ends it */
#define MIG_OP_RECORDS 10u /* tests, with show_records: a thread has left; arg0 address, arg1
                              bytes of its new frame records, see struct mig_trailer */

#define MIG_PANIC_KERNEL 1u /* a bug or corrupted state */
#define MIG_PANIC_ABORT  2u /* the program called abort() or died of a signal it raised */
#define MIG_PANIC_OOM    3u /* portable memory is used up where it cannot be reported */

/* A ring: single producer, single consumer, byte indices run freely modulo 2^32. */
#define MIG_RING_SIZE 0x10000u /* bytes of data, a power of two */
struct mig_ring {
	volatile uint32_t head; /* producer: bytes ever written */
	uint32_t pad0[15];
	volatile uint32_t tail; /* consumer: bytes ever read */
	uint32_t pad1[15];
	uint8_t data[MIG_RING_SIZE];
};
/* The output ring holds frames: a little-endian uint32, stream << 24 | n, with
   n <= 0x4000, then n bytes, unpadded. A frame is published (head moved) whole. The
   input ring holds plain bytes. */
#define MIG_STREAM_STDOUT 1u
#define MIG_STREAM_STDERR 2u

/* What a host that cannot see registers by itself (a tender) has the guest's fault
   handler leave behind. regs: the ISA's DWARF numbering, 0..33. */
struct mig_crash {
	uint32_t kind; /* 0: none; else the host signal number */
	uint32_t code; /* si_code */
	uint64_t addr; /* faulting address */
	uint64_t pc;
	uint64_t regs[34];
};

struct mig_ctl {
	volatile uint32_t pending; /* 0x000 at MIG_CTL_BASE itself: polls load it */
	uint32_t abi_version;      /* 0x004 host */
	uint32_t boot;             /* 0x008 host: MIG_BOOT_* */
	uint32_t op;               /* 0x00c guest: MIG_OP_* */
	uint64_t arg[4];           /* 0x010 guest */
	int64_t ret;               /* 0x030 host: 0 or -errno */
	uint64_t mem_size;         /* 0x038 host: bytes of the portable region */
	uint64_t static_end;       /* 0x040 host: first portable byte behind the image's data */
	uint64_t blob;             /* 0x048 host: portable address of the boot blob (START) */
	uint64_t blob_size;        /* 0x050 host: bytes */
	/* Clock, written by the host at start, at resume and by MIG_OP_CLOCK. At counter
	   value c: mono = clock_mono + ((c - clock_counter) * clock_mult >> 32), the same
	   with clock_real. clock_mult == 0: no counter to trust, ask with MIG_OP_CLOCK. */
	uint64_t clock_counter; /* 0x058 */
	uint64_t clock_mono;    /* 0x060 ns; goes on over a move */
	uint64_t clock_real;    /* 0x068 ns since 1970 */
	uint64_t clock_mult;    /* 0x070 ns per tick, 32.32 fixed point */
	uint8_t seed[32];       /* 0x078 host: fresh random bytes at start and each resume */
	/* With MIG_PEND_COUNT: every point adds one to points; the one that makes points
	   equal to countdown acts as if MIG_PEND_MIGRATE were set. 0: count only. Time slices
	   of threads then end after so many points, not by MIG_OP_ALARM. */
	uint64_t countdown;     /* 0x098 host */
	uint64_t points;        /* 0x0a0 guest */
	uint32_t in_eof;        /* 0x0a8 host: nothing follows the input ring's content */
	uint32_t show_records;  /* 0x0ac host: tests: ring MIG_OP_RECORDS */
	uint64_t left_mono;     /* 0x0b0 guest: mono time when the last thread had left, ns */
	uint64_t left_threads;  /* 0x0b8 guest: threads that left */
	uint64_t left_frames;   /* 0x0c0 guest: frames written */
	uint64_t left_bytes;    /* 0x0c8 guest: bytes of records */
	/* Doorbell of a tender: the gate bumps bell and waits until ack equals it. */
	volatile uint32_t bell; /* 0x0d0 guest */
	volatile uint32_t ack;  /* 0x0d4 host */
	struct mig_crash crash; /* 0x0d8 */
	uint64_t records;       /* 0x200 guest: address of the running thread's struct mig_records,
	                           for backtraces; 0: none */
};

/* Where a thread's frame records are, a stack that grows up. */
struct mig_records {
	uint64_t stack; /* address */
	uint64_t top;   /* bytes of records */
};

/* The boot blob, in portable memory, ends at the region's end. Little endian, unaligned
   fields, no padding:
     u32 argc; argc times { u32 n; n bytes; NUL }       n excludes the NUL
     u32 envc; envc times { u32 n; n bytes; NUL }       "K=V"
     u32 files; files times { u32 mode; u64 size; i64 mtime_ns; u32 n; n bytes path; NUL;
                              size bytes }              absolute path, parents are made
   The guest may keep using these bytes in place. */

/* A frame record: its data, padded to 16 bytes, then this. The next one, of the frame that
   was called, follows. */
struct mig_trailer {
	uint32_t site;
	uint32_t size; /* of the data, bytes, without padding */
	uint64_t spare;
};

#define MIG_CTL ((struct mig_ctl *)MIG_CTL_BASE)
#define MIG_OUT_RING ((struct mig_ring *)MIG_OUT_RING_BASE)
#define MIG_IN_RING ((struct mig_ring *)MIG_IN_RING_BASE)

_Static_assert(offsetof(struct mig_ctl, ret) == 0x30, "contract");
_Static_assert(offsetof(struct mig_ctl, clock_counter) == 0x58, "contract");
_Static_assert(offsetof(struct mig_ctl, countdown) == 0x98, "contract");
_Static_assert(offsetof(struct mig_ctl, left_mono) == 0xb0, "contract");
_Static_assert(offsetof(struct mig_ctl, bell) == 0xd0, "contract");
_Static_assert(offsetof(struct mig_ctl, crash) == 0xd8, "contract");
_Static_assert(offsetof(struct mig_ctl, records) == 0x200, "contract");
_Static_assert(sizeof(struct mig_ctl) <= MIG_PAGE_SIZE, "one page");
_Static_assert(offsetof(struct mig_ring, data) == 128, "contract");

#endif
