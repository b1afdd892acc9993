/* Files that are mapped shared. A page of the mapping is the file's own page, so that what is written
   to either is in both. There are no page tables: a page of a file has one address, and whoever maps
   it again is given the same. */
#include "file.h"
#include "kernel.h"

struct share {
	struct share *next;
	struct inode *inode; /* held */
	uint64_t slot;       /* first page, in the file */
	uint64_t addr;       /* and in memory */
	uint64_t pages;
};

#define SHARES_MAX 65530 /* vm.max_map_count, as Linux has it */

static struct share *shares;
static unsigned count;

static void add(struct share *s, struct inode *inode, uint64_t slot, uint64_t addr, uint64_t pages)
{
	*s = (struct share){shares, inode, slot, addr, pages};
	shares = s;
	count++;
	inode_hold(inode);
	inode->content.shares++;
}

static bool covers(const struct share *s, uint64_t addr)
{
	return addr >= s->addr && (addr - s->addr) / PAGE < s->pages;
}

static struct share *share_at(uint64_t addr)
{
	struct share *s = shares;
	while (s && !covers(s, addr))
		s = s->next;
	return s;
}

bool share_has(const struct content *c, uint64_t slot)
{
	for (const struct share *s = shares; s; s = s->next)
		if (&s->inode->content == c && slot >= s->slot && slot - s->slot < s->pages)
			return true;
	return false;
}

uint64_t share_span(uint64_t addr, uint64_t pages, bool *shared)
{
	const struct share *in = share_at(addr);
	uint64_t n = in ? in->pages - (addr - in->addr) / PAGE : pages;
	*shared = in != NULL;
	for (const struct share *s = shares; s && !in; s = s->next)
		if (s->addr > addr && (s->addr - addr) / PAGE < n)
			n = (s->addr - addr) / PAGE;
	return n < pages ? n : pages;
}

int share_cut(uint64_t addr, uint64_t pages)
{
	struct share *s = share_at(addr);
	uint64_t before = (addr - s->addr) / PAGE, behind = s->pages - before - pages;
	if (before && behind) {
		struct share *rest = kmem_alloc(sizeof *rest);
		if (!rest)
			return -ENOMEM;
		add(rest, s->inode, s->slot + before + pages, addr + pages * PAGE, behind);
		s->pages = before;
	} else if (before) {
		s->pages = before;
	} else if (behind) {
		s->slot += pages;
		s->addr += pages * PAGE;
		s->pages = behind;
	} else {
		struct share **at = &shares;
		while (*at != s)
			at = &(*at)->next;
		*at = s->next;
		count--;
		s->inode->content.shares--;
		inode_release(s->inode);
		kmem_free(s, sizeof *s);
	}
	return 0;
}

void share_touch(uint64_t addr, uint64_t pages)
{
	for (struct share *s = shares; s; s = s->next)
		if (s->addr < addr + pages * PAGE && addr < s->addr + s->pages * PAGE)
			inode_touch(s->inode);
}

/* The address that a page of the file must have: where a mapping has one of the range already.
   0: any. -ENOMEM: two mappings want two. */
static int64_t address_of(const struct inode *inode, uint64_t slot, uint64_t pages)
{
	int64_t found = 0;
	for (const struct share *s = shares; s; s = s->next) {
		if (s->inode != inode || s->slot >= slot + pages || slot >= s->slot + s->pages)
			continue;
		int64_t at = (int64_t)s->addr + ((int64_t)slot - (int64_t)s->slot) * (int64_t)PAGE;
		if (found && at != found)
			return -ENOMEM;
		found = at;
	}
	return found;
}

/* Takes the pages from an address on that the file has not there already. */
static bool take_around(const struct content *c, uint64_t slot, uint64_t addr, uint64_t pages)
{
	for (uint64_t i = 0; i < pages; i++) {
		uint64_t at = addr + i * PAGE;
		if ((uint64_t)content_page(c, slot + i) == at || page_take(at, 1))
			continue;
		while (i-- > 0)
			if ((uint64_t)content_page(c, slot + i) != addr + i * PAGE)
				page_free((void *)(addr + i * PAGE), 1);
		return false;
	}
	return true;
}

long share_map(struct inode *inode, uint64_t slot, uint64_t pages, uint64_t want)
{
	struct content *c = &inode->content;
	int64_t there = address_of(inode, slot, pages);
	if (there < 0 || (want && there && (uint64_t)there != want))
		return -ENOMEM;
	struct share *s = count < SHARES_MAX ? kmem_alloc(sizeof *s) : NULL;
	if (!s)
		return -ENOMEM;
	uint64_t addr = there ? (uint64_t)there : want;
	if (content_own(c, slot + pages) < 0)
		goto no_memory;
	if (!addr && pages == content_run(c, slot, pages))
		addr = (uint64_t)content_page(c, slot);
	if (addr ? !take_around(c, slot, addr, pages) : !(addr = (uint64_t)page_alloc(pages)))
		goto no_memory;
	content_place(c, slot, pages, (uint8_t *)addr);
	add(s, inode, slot, addr, pages);
	return addr;
no_memory:
	kmem_free(s, sizeof *s);
	return -ENOMEM;
}
