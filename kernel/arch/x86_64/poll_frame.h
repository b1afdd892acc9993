#ifndef MIGRATED_ARCH_POLL_FRAME_H
#define MIGRATED_ARCH_POLL_FRAME_H

/* Offsets in the frame of a poll, of POLL_FRAME bytes. Vectors come first, at its end are rax, as the
   last register, and the return address. */
#define POLL_LEFT 512
#define POLL_PAD 520
#define POLL_FIRST (POLL_FRAME - 16)  /* rax and rdx, in which landing pads */
#define POLL_SECOND (POLL_FRAME - 32) /* have what they are given */
#define POLL_FRAME 608

#endif
