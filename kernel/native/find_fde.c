/* The unwinder's question "which frame description covers this address?", answered from
   .eh_frame_hdr (LSB Core, 10.6.2) by binary search. There is one object, linked at a fixed
   address, so neither registration nor dl_iterate_phdr has a part in it. */
#include <stddef.h>

#include "dwarf_pointer.h"
#include "native.h"
#include "native_abi.h"

/* libgcc's unwind-dw2-fde.h */
struct dwarf_eh_bases {
	void *text;
	void *data;
	void *function;
};

struct header {
	uint8_t version;
	uint8_t eh_frame_encoding;
	uint8_t count_encoding;
	uint8_t table_encoding;
	int32_t eh_frame; /* pc-relative */
	uint32_t count;
	struct {
		int32_t function; /* both relative to the header */
		int32_t fde;
	} table[];
};

/* The encoding of addresses in an FDE, from its CIE's augmentation "zR...", which compilers
   write for every function here. */
static uint8_t address_encoding(const uint8_t *cie)
{
	const uint8_t *p = cie + 8; /* length, id */
	p++;                        /* version */
	const char *augmentation = (const char *)p;
	while (*p++)
		;
	if (*augmentation != 'z')
		return DW_EH_PE_absptr;
	dwarf_uleb(&p); /* code alignment */
	dwarf_uleb(&p); /* data alignment, signed, of the same length */
	dwarf_uleb(&p); /* return address register */
	dwarf_uleb(&p); /* length of the augmentation data */
	for (augmentation++; *augmentation; augmentation++) {
		switch (*augmentation) {
		case 'R':
			return *p;
		case 'L':
			p++;
			break;
		case 'P': {
			uint8_t encoding = *p++;
			dwarf_pointer(&p, encoding);
			break;
		}
		}
	}
	return DW_EH_PE_absptr;
}

static uintptr_t length_of(const uint8_t *fde)
{
	int32_t back;
	__builtin_memcpy(&back, fde + 4, sizeof back); /* from this field to the CIE */
	uint8_t encoding = address_encoding(fde + 4 - back);
	const uint8_t *p = fde + 8;
	dwarf_pointer(&p, encoding);
	return dwarf_pointer(&p, encoding & 0x0f);
}

const void *_Unwind_Find_FDE(void *pc, struct dwarf_eh_bases *bases)
{
	const struct header *h = (const struct header *)__mig_eh_frame_hdr_start;
	if (h->version != 1 || h->count_encoding != DW_EH_PE_udata4 || h->table_encoding != 0x3b)
		__mig_panic("the build's unwind table has an unknown format");
	intptr_t base = (intptr_t)h, want = (intptr_t)pc - base;
	size_t low = 0, high = h->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (h->table[middle].function <= want)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return NULL;
	const uint8_t *fde = (const uint8_t *)(base + h->table[low - 1].fde);
	if ((uintptr_t)(want - h->table[low - 1].function) >= length_of(fde))
		return NULL;
	bases->text = NULL;
	bases->data = NULL;
	bases->function = (void *)(base + h->table[low - 1].function);
	return fde;
}
