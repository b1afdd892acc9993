/* Encoded numbers of exception tables (DWARF 5, 7.6; LSB Core, "DWARF Exception Header
   Encoding"). */
#ifndef MIGRATED_DWARF_POINTER_H
#define MIGRATED_DWARF_POINTER_H

#include <stdint.h>

enum {
	DW_EH_PE_absptr = 0x00,
	DW_EH_PE_uleb128 = 0x01,
	DW_EH_PE_udata2 = 0x02,
	DW_EH_PE_udata4 = 0x03,
	DW_EH_PE_udata8 = 0x04,
	DW_EH_PE_sdata2 = 0x0a,
	DW_EH_PE_sdata4 = 0x0b,
	DW_EH_PE_sdata8 = 0x0c,
	DW_EH_PE_pcrel = 0x10,
	DW_EH_PE_omit = 0xff,
};

static inline uint64_t dwarf_uleb(const uint8_t **at)
{
	uint64_t value = 0;
	unsigned shift = 0;
	uint8_t byte;
	do {
		byte = *(*at)++;
		value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	return value;
}

#define DWARF_FIXED(type) ({ \
	type fixed; \
	__builtin_memcpy(&fixed, *at, sizeof fixed); \
	*at += sizeof fixed; \
	(uintptr_t)(intptr_t)fixed; \
})

/* Encodings that the toolchain writes; nothing else is in an image. */
static inline uintptr_t dwarf_pointer(const uint8_t **at, uint8_t encoding)
{
	uintptr_t base = encoding & DW_EH_PE_pcrel ? (uintptr_t)*at : 0;
	switch (encoding & 0x0f) {
	case DW_EH_PE_uleb128: return base + dwarf_uleb(at);
	case DW_EH_PE_udata2: return base + DWARF_FIXED(uint16_t);
	case DW_EH_PE_udata4: return base + DWARF_FIXED(uint32_t);
	case DW_EH_PE_sdata2: return base + DWARF_FIXED(int16_t);
	case DW_EH_PE_sdata4: return base + DWARF_FIXED(int32_t);
	default: return base + DWARF_FIXED(uint64_t);
	}
}

#endif
