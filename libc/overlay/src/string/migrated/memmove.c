/* Native: kernel/native/string.c. */
