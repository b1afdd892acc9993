/* SYSCALLn(name, type, parameter, ...) { body } defines __mig_sys_name, which takes longs,
   around a function with typed parameters. */
#ifndef MIGRATED_SYSCALL_DEFINE_H
#define MIGRATED_SYSCALL_DEFINE_H

#define SYSCALL0(name) long __mig_sys_##name(void)
#define SYSCALL1(name, t1, a1) \
	static inline long do_##name(t1 a1); \
	long __mig_sys_##name(long x1) { return do_##name((t1)x1); } \
	static inline long do_##name(t1 a1)
#define SYSCALL2(name, t1, a1, t2, a2) \
	static inline long do_##name(t1 a1, t2 a2); \
	long __mig_sys_##name(long x1, long x2) { return do_##name((t1)x1, (t2)x2); } \
	static inline long do_##name(t1 a1, t2 a2)
#define SYSCALL3(name, t1, a1, t2, a2, t3, a3) \
	static inline long do_##name(t1 a1, t2 a2, t3 a3); \
	long __mig_sys_##name(long x1, long x2, long x3) \
	{ return do_##name((t1)x1, (t2)x2, (t3)x3); } \
	static inline long do_##name(t1 a1, t2 a2, t3 a3)
#define SYSCALL4(name, t1, a1, t2, a2, t3, a3, t4, a4) \
	static inline long do_##name(t1 a1, t2 a2, t3 a3, t4 a4); \
	long __mig_sys_##name(long x1, long x2, long x3, long x4) \
	{ return do_##name((t1)x1, (t2)x2, (t3)x3, (t4)x4); } \
	static inline long do_##name(t1 a1, t2 a2, t3 a3, t4 a4)
#define SYSCALL5(name, t1, a1, t2, a2, t3, a3, t4, a4, t5, a5) \
	static inline long do_##name(t1 a1, t2 a2, t3 a3, t4 a4, t5 a5); \
	long __mig_sys_##name(long x1, long x2, long x3, long x4, long x5) \
	{ return do_##name((t1)x1, (t2)x2, (t3)x3, (t4)x4, (t5)x5); } \
	static inline long do_##name(t1 a1, t2 a2, t3 a3, t4 a4, t5 a5)
#define SYSCALL6(name, t1, a1, t2, a2, t3, a3, t4, a4, t5, a5, t6, a6) \
	static inline long do_##name(t1 a1, t2 a2, t3 a3, t4 a4, t5 a5, t6 a6); \
	long __mig_sys_##name(long x1, long x2, long x3, long x4, long x5, long x6) \
	{ return do_##name((t1)x1, (t2)x2, (t3)x3, (t4)x4, (t5)x5, (t6)x6); } \
	static inline long do_##name(t1 a1, t2 a2, t3 a3, t4 a4, t5 a5, t6 a6)

#endif
