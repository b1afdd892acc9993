/* In syscall_arch.h, so that it folds to a direct call. */
