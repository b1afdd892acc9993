#ifndef MIGRATED_ARCH_POLL_FRAME_H
#define MIGRATED_ARCH_POLL_FRAME_H

/* Offsets in the frame of a poll, of POLL_FRAME bytes. Vectors come first, then x0 to x18. */
#define POLL_FIRST 512  /* x0 and x1, in which landing pads */
#define POLL_SECOND 520 /* have what they are given */
#define POLL_LEFT 664
#define POLL_PAD 672
#define POLL_LINK 688 /* x29, x30 */
#define POLL_FRAME 704

#endif
