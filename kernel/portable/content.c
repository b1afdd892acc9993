/* The bytes of a regular file, as pages found through one array. */
#include "file.h"
#include "kernel.h"

#define FIRST_SLOTS 4

size_t content_read(const struct content *c, uint64_t offset, void *buf, size_t n)
{
	if (offset >= c->size)
		return 0;
	if (n > c->size - offset)
		n = c->size - offset;
	if (c->borrowed) {
		copy_leaving(buf, c->borrowed + offset, n);
		return n;
	}
	uint8_t *out = buf;
	for (size_t left = n; left > 0;) {
		uint64_t slot = offset / PAGE, within = offset % PAGE;
		size_t part = left < PAGE - within ? left : PAGE - within;
		if (slot < c->slots && c->pages[slot])
			memcpy(out, c->pages[slot] + within, part);
		else
			memset(out, 0, part);
		out += part;
		offset += part;
		left -= part;
		if (offset % PART == 0)
			leave_point();
	}
	return n;
}

static int grow_slots(struct content *c, uint64_t need)
{
	if (need <= c->slots)
		return 0;
	uint64_t slots = c->slots ? c->slots : FIRST_SLOTS;
	while (slots < need)
		slots *= 2;
	uint8_t **pages = kmem_alloc(slots * sizeof *pages);
	if (!pages)
		return -ENOSPC;
	if (c->slots)
		memcpy(pages, c->pages, c->slots * sizeof *pages);
	kmem_free(c->pages, c->slots * sizeof *pages);
	c->pages = pages;
	c->slots = slots;
	return 0;
}

/* A file that grows has zeroes between its old end and the new one. */
static void clear_tail(struct content *c, uint64_t from, uint64_t to)
{
	while (c->tail && from < to) {
		uint64_t within = from % PAGE, part = PAGE - within < to - from ? PAGE - within : to - from;
		uint8_t *page = content_page(c, from / PAGE);
		if (page)
			memset(page + within, 0, part);
		from += part;
		if (from % PART == 0)
			leave_point();
	}
}

static int64_t write_pages(struct content *c, uint64_t offset, const uint8_t *in, size_t n)
{
	size_t done = 0;
	if (grow_slots(c, PAGES(offset + n)) < 0)
		return -ENOSPC;
	clear_tail(c, c->size, offset);
	while (done < n) {
		uint64_t slot = offset / PAGE, within = offset % PAGE;
		size_t part = n - done < PAGE - within ? n - done : PAGE - within;
		if (!c->pages[slot] && !(c->pages[slot] = page_alloc(1)))
			break;
		memcpy(c->pages[slot] + within, in + done, part);
		offset += part;
		done += part;
		if (offset % PART == 0)
			leave_point();
	}
	if (offset > c->size)
		c->size = offset;
	return done || !n ? (int64_t)done : -ENOSPC;
}

/* Copies borrowed bytes to pages of the file's own. */
static int own(struct content *c)
{
	struct content copy = {0};
	if (!c->borrowed)
		return 0;
	if (write_pages(&copy, 0, c->borrowed, c->size) != (int64_t)c->size) {
		content_resize(&copy, 0);
		return -ENOSPC;
	}
	*c = copy;
	return 0;
}

int content_own(struct content *c, uint64_t slots)
{
	return own(c) < 0 || grow_slots(c, slots) < 0 ? -ENOSPC : 0;
}

uint8_t *content_page(const struct content *c, uint64_t slot)
{
	return slot < c->slots ? c->pages[slot] : NULL;
}

uint64_t content_run(const struct content *c, uint64_t slot, uint64_t pages)
{
	uint8_t *first = content_page(c, slot);
	uint64_t n = 0;
	while (first && n < pages && content_page(c, slot + n) == first + n * PAGE)
		n++;
	return n;
}

void content_place(struct content *c, uint64_t slot, uint64_t pages, uint8_t *at)
{
	for (uint64_t i = 0; i < pages; i++, at += PAGE) {
		uint8_t *old = c->pages[slot + i];
		if (old == at)
			continue;
		c->pages[slot + i] = at;
		if (old) {
			memcpy(at, old, PAGE);
			page_free(old, 1);
		}
		if (i % (PART / PAGE) == 0)
			leave_point();
	}
	c->tail = true; /* what a program writes there is not seen */
}

int64_t content_write(struct content *c, uint64_t offset, const void *buf, size_t n)
{
	uint64_t end;
	if (__builtin_add_overflow(offset, n, &end) || end > INT64_MAX - PAGE)
		return -EFBIG;
	if (n == 0)
		return 0;
	if (own(c) < 0)
		return -ENOSPC;
	return write_pages(c, offset, buf, n);
}

int content_reserve(struct content *c, uint64_t offset, uint64_t n)
{
	uint64_t end;
	if (__builtin_add_overflow(offset, n, &end) || end > INT64_MAX - PAGE)
		return -EFBIG;
	/* Not to use up all memory before it is clear that it does not suffice. */
	if (PAGES(n) > page_count_free() || own(c) < 0 || grow_slots(c, PAGES(end)) < 0)
		return -ENOSPC;
	for (uint64_t slot = offset / PAGE; slot < PAGES(end); slot++)
		if (!c->pages[slot] && !(c->pages[slot] = page_alloc(1)))
			return -ENOSPC;
	return 0;
}

int content_resize(struct content *c, uint64_t size)
{
	if (size > INT64_MAX - PAGE)
		return -EFBIG;
	if (c->borrowed && size == 0)
		c->borrowed = NULL;
	if (c->borrowed && size < c->size) {
		c->size = size;
		return 0;
	}
	if (own(c) < 0)
		return -ENOSPC;
	clear_tail(c, c->size, size);
	for (uint64_t slot = PAGES(size); slot < c->slots; slot++) {
		if (c->shares && share_has(c, slot)) { /* whoever has mapped it still has it */
			if (size < c->size)
				memset(c->pages[slot], 0, PAGE);
		} else if (c->pages[slot]) {
			page_free(c->pages[slot], 1);
			c->pages[slot] = NULL;
		}
		if (slot % (PART / PAGE) == 0)
			leave_point();
	}
	/* What lies behind the end of the last page must read as zero when the file grows. */
	uint64_t last = size / PAGE;
	if (size < c->size && size % PAGE && last < c->slots && c->pages[last])
		memset(c->pages[last] + size % PAGE, 0, PAGE - size % PAGE);
	if (size == 0 && !c->shares) {
		kmem_free(c->pages, c->slots * sizeof *c->pages);
		c->pages = NULL;
		c->slots = 0;
	}
	c->size = size;
	return 0;
}
