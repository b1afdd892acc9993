/* bcmp is native: kernel/native/string.c. */
