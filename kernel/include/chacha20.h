/* The ChaCha20 block function (RFC 8439, 2.3). */
#ifndef MIGRATED_CHACHA20_H
#define MIGRATED_CHACHA20_H

#include <stdint.h>

void chacha20_block(const uint32_t key[8], uint32_t counter, const uint32_t nonce[3],
		    uint32_t out[16]);

#endif
