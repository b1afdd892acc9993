#include "lsda.h"

#include "dwarf_pointer.h"

uintptr_t lsda_landing_pad(const uint8_t *lsda, uintptr_t function, uintptr_t pc)
{
	const uint8_t *p = lsda;
	if (!p)
		return 0;
	uintptr_t pads = function; /* @LPStart: what pads are counted from */
	uint8_t encoding = *p++;
	if (encoding != DW_EH_PE_omit)
		pads = dwarf_pointer(&p, encoding);
	encoding = *p++; /* @TType: no use for types */
	if (encoding != DW_EH_PE_omit)
		dwarf_uleb(&p);
	encoding = *p++; /* of the call sites */
	uint64_t bytes = dwarf_uleb(&p);
	const uint8_t *end = p + bytes;
	while (p < end) {
		uintptr_t start = function + dwarf_pointer(&p, encoding);
		uintptr_t length = dwarf_pointer(&p, encoding);
		uintptr_t pad = dwarf_pointer(&p, encoding);
		dwarf_uleb(&p); /* action: save pads are cleanups */
		if (pc < start)
			return 0; /* the table is sorted */
		if (pc - start < length)
			return pad ? pads + pad : 0;
	}
	return 0;
}
