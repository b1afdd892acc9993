/* Call-site tables as compilers write them: with uleb128 and with fixed-size entries. */
#include "lsda.h"

#include "harness.h"

#define FUNCTION 0x4001000

void test(void)
{
	const uint8_t variable[] = {
		0xff,             /* pads count from the function's start */
		0xff,             /* no types */
		0x01, 13,         /* uleb128; bytes of the table */
		0x00, 0x10, 0, 0, /* [0, 0x10): no pad */
		0x10, 0x05, 0x80, 0x02, 0, /* [0x10, 0x15): pad at 0x100 */
		0x20, 0x10, 0x40, 0, /* [0x20, 0x30): pad at 0x40 */
	};
	EQUAL(lsda_landing_pad(variable, FUNCTION, FUNCTION + 0x0f), 0);
	EQUAL(lsda_landing_pad(variable, FUNCTION, FUNCTION + 0x10), FUNCTION + 0x100);
	EQUAL(lsda_landing_pad(variable, FUNCTION, FUNCTION + 0x14), FUNCTION + 0x100);
	EQUAL(lsda_landing_pad(variable, FUNCTION, FUNCTION + 0x15), 0); /* a gap */
	EQUAL(lsda_landing_pad(variable, FUNCTION, FUNCTION + 0x2f), FUNCTION + 0x40);
	EQUAL(lsda_landing_pad(variable, FUNCTION, FUNCTION + 0x30), 0);
	const uint8_t fixed[] = {
		0xff, 0x9b, 0x81, 0x01, /* types: an offset to skip */
		0x03, 13,               /* udata4 */
		0x34, 0x12, 0, 0, 0x02, 0, 0, 0, 0x08, 0, 0, 0, 0,
	};
	EQUAL(lsda_landing_pad(fixed, FUNCTION, FUNCTION + 0x1235), FUNCTION + 8);
	EQUAL(lsda_landing_pad(fixed, FUNCTION, FUNCTION + 0x1236), 0);
	EQUAL(lsda_landing_pad(NULL, FUNCTION, FUNCTION), 0);
}
