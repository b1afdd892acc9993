/* The kernel's small objects: free lists of powers of two, from pages that are never given
   back; large objects are runs of pages. Whoever frees says the size, so objects have no
   headers. */
#include "kernel.h"

#define SMALLEST 5 /* 2^5 = 32 bytes */
#define LARGEST 11 /* 2^11 = 2 KiB; beyond, whole pages */

struct free_object {
	struct free_object *next;
};

static struct free_object *free_objects[LARGEST + 1]; /* by log2 of size */

static unsigned class_of(size_t size)
{
	unsigned c = SMALLEST;
	while ((1ul << c) < size)
		c++;
	return c;
}

void *kmem_alloc(size_t size)
{
	if (size > 1ul << LARGEST)
		return page_alloc(PAGES(size));
	unsigned c = class_of(size);
	if (!free_objects[c]) {
		uint8_t *page = page_alloc(1);
		if (!page)
			return NULL;
		for (size_t at = 0; at < PAGE; at += 1ul << c) {
			struct free_object *o = (struct free_object *)(page + at);
			o->next = free_objects[c];
			free_objects[c] = o;
		}
	}
	struct free_object *o = free_objects[c];
	free_objects[c] = o->next;
	o->next = NULL;
	return o;
}

void kmem_free(void *object, size_t size)
{
	if (!object)
		return;
	if (size > 1ul << LARGEST) {
		page_free(object, PAGES(size));
		return;
	}
	unsigned c = class_of(size);
	memset(object, 0, 1ul << c);
	struct free_object *o = object;
	o->next = free_objects[c];
	free_objects[c] = o;
}
