/* siglongjmp is for the compiler to lower, like longjmp. */
