/*
 * A guest without a kernel, for tests of hosts: it speaks the contract with its host and
 * keeps everything that a move must carry in portable variables. Its first argument says
 * what it does; see main.c.
 */
#include "host_abi.h"

#define PRIVATE __attribute__((section(".private")))

/* link.c: the doorbell and what leads to it. */
int64_t ring(uint32_t op, uint64_t a0, uint64_t a1, uint64_t a2);
void print(uint32_t stream, const char *text, uint32_t n);
void point(void); /* a migration point: moves, stops, counts */
int read_input(char *to, uint32_t n); /* blocks; 0 at the end */
void sleep_until(uint64_t mono);
uint64_t mono_now(void);
_Noreturn void exit_with(int code);

/* text.c */
uint32_t length(const char *s);
int equal(const char *a, const char *b);
uint64_t number(const char *s);
void put(const char *s);
void put_number(uint64_t n);
void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);

/* main.c: goes on where the portable state says. Entered anew after each move. */
_Noreturn void run(void);
const char *argument(uint32_t i);
