/* Reading the boot blob (host_abi.h): unaligned little-endian fields, every length checked. */
#ifndef MIGRATED_BLOB_H
#define MIGRATED_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct blob {
	const uint8_t *at, *end;
};

/* n bytes of it; NULL if it is shorter. */
static inline const uint8_t *blob_bytes(struct blob *b, uint64_t n)
{
	if (n > (uint64_t)(b->end - b->at))
		return NULL;
	const uint8_t *p = b->at;
	b->at += n;
	return p;
}

static inline bool blob_u32(struct blob *b, uint32_t *v)
{
	const uint8_t *p = blob_bytes(b, 4);
	if (p)
		memcpy(v, p, 4);
	return p != NULL;
}

static inline bool blob_u64(struct blob *b, uint64_t *v)
{
	const uint8_t *p = blob_bytes(b, 8);
	if (p)
		memcpy(v, p, 8);
	return p != NULL;
}

/* A counted string, with the NUL that must follow it. */
static inline bool blob_string(struct blob *b, const char **s, uint32_t *len)
{
	if (!blob_u32(b, len))
		return false;
	const uint8_t *p = blob_bytes(b, (uint64_t)*len + 1);
	if (!p || p[*len] != 0)
		return false;
	*s = (const char *)p;
	return true;
}

#endif
