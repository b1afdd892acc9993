/*
 * Lists whose links lie in their elements, with the names that BSD gave them and glibc has; musl
 * has no such header. SLIST is linked one way; LIST too, but any element can be removed at once;
 * STAILQ and SIMPLEQ have an end to append at; TAILQ is linked both ways; CIRCLEQ is a ring.
 */
#ifndef _SYS_QUEUE_H
#define _SYS_QUEUE_H

#define SLIST_HEAD(name, type) struct name { struct type *slh_first; }
#define SLIST_HEAD_INITIALIZER(head) { (void *)0 }
#define SLIST_ENTRY(type) struct { struct type *sle_next; }
#define SLIST_EMPTY(head) ((head)->slh_first == (void *)0)
#define SLIST_FIRST(head) ((head)->slh_first)
#define SLIST_NEXT(elm, field) ((elm)->field.sle_next)
#define SLIST_INIT(head) do { (head)->slh_first = (void *)0; } while (0)
#define SLIST_FOREACH(var, head, field) \
	for ((var) = (head)->slh_first; (var); (var) = (var)->field.sle_next)
#define SLIST_INSERT_HEAD(head, elm, field) do { \
	(elm)->field.sle_next = (head)->slh_first; \
	(head)->slh_first = (elm); \
} while (0)
#define SLIST_INSERT_AFTER(before, elm, field) do { \
	(elm)->field.sle_next = (before)->field.sle_next; \
	(before)->field.sle_next = (elm); \
} while (0)
#define SLIST_REMOVE_HEAD(head, field) do { \
	(head)->slh_first = (head)->slh_first->field.sle_next; \
} while (0)
#define SLIST_REMOVE(head, elm, type, field) do { \
	struct type **__link = &(head)->slh_first; \
	while (*__link != (elm)) \
		__link = &(*__link)->field.sle_next; \
	*__link = (*__link)->field.sle_next; \
} while (0)

#define LIST_HEAD(name, type) struct name { struct type *lh_first; }
#define LIST_HEAD_INITIALIZER(head) { (void *)0 }
#define LIST_ENTRY(type) struct { struct type *le_next; struct type **le_prev; }
#define LIST_EMPTY(head) ((head)->lh_first == (void *)0)
#define LIST_FIRST(head) ((head)->lh_first)
#define LIST_NEXT(elm, field) ((elm)->field.le_next)
#define LIST_INIT(head) do { (head)->lh_first = (void *)0; } while (0)
#define LIST_FOREACH(var, head, field) \
	for ((var) = (head)->lh_first; (var); (var) = (var)->field.le_next)
#define LIST_INSERT_HEAD(head, elm, field) do { \
	if (((elm)->field.le_next = (head)->lh_first)) \
		(head)->lh_first->field.le_prev = &(elm)->field.le_next; \
	(head)->lh_first = (elm); \
	(elm)->field.le_prev = &(head)->lh_first; \
} while (0)
#define LIST_INSERT_AFTER(before, elm, field) do { \
	if (((elm)->field.le_next = (before)->field.le_next)) \
		(before)->field.le_next->field.le_prev = &(elm)->field.le_next; \
	(before)->field.le_next = (elm); \
	(elm)->field.le_prev = &(before)->field.le_next; \
} while (0)
#define LIST_INSERT_BEFORE(behind, elm, field) do { \
	(elm)->field.le_prev = (behind)->field.le_prev; \
	(elm)->field.le_next = (behind); \
	*(behind)->field.le_prev = (elm); \
	(behind)->field.le_prev = &(elm)->field.le_next; \
} while (0)
#define LIST_REMOVE(elm, field) do { \
	if ((elm)->field.le_next) \
		(elm)->field.le_next->field.le_prev = (elm)->field.le_prev; \
	*(elm)->field.le_prev = (elm)->field.le_next; \
} while (0)

#define STAILQ_HEAD(name, type) struct name { struct type *stqh_first; struct type **stqh_last; }
#define STAILQ_HEAD_INITIALIZER(head) { (void *)0, &(head).stqh_first }
#define STAILQ_ENTRY(type) struct { struct type *stqe_next; }
#define STAILQ_EMPTY(head) ((head)->stqh_first == (void *)0)
#define STAILQ_FIRST(head) ((head)->stqh_first)
#define STAILQ_NEXT(elm, field) ((elm)->field.stqe_next)
#define STAILQ_INIT(head) do { \
	(head)->stqh_first = (void *)0; \
	(head)->stqh_last = &(head)->stqh_first; \
} while (0)
#define STAILQ_FOREACH(var, head, field) \
	for ((var) = (head)->stqh_first; (var); (var) = (var)->field.stqe_next)
#define STAILQ_INSERT_HEAD(head, elm, field) do { \
	if (!((elm)->field.stqe_next = (head)->stqh_first)) \
		(head)->stqh_last = &(elm)->field.stqe_next; \
	(head)->stqh_first = (elm); \
} while (0)
#define STAILQ_INSERT_TAIL(head, elm, field) do { \
	(elm)->field.stqe_next = (void *)0; \
	*(head)->stqh_last = (elm); \
	(head)->stqh_last = &(elm)->field.stqe_next; \
} while (0)
#define STAILQ_INSERT_AFTER(head, before, elm, field) do { \
	if (!((elm)->field.stqe_next = (before)->field.stqe_next)) \
		(head)->stqh_last = &(elm)->field.stqe_next; \
	(before)->field.stqe_next = (elm); \
} while (0)
#define STAILQ_REMOVE_HEAD(head, field) do { \
	if (!((head)->stqh_first = (head)->stqh_first->field.stqe_next)) \
		(head)->stqh_last = &(head)->stqh_first; \
} while (0)
#define STAILQ_REMOVE(head, elm, type, field) do { \
	struct type **__link = &(head)->stqh_first; \
	while (*__link != (elm)) \
		__link = &(*__link)->field.stqe_next; \
	if (!(*__link = (*__link)->field.stqe_next)) \
		(head)->stqh_last = __link; \
} while (0)
#define STAILQ_CONCAT(head, more) do { \
	if ((more)->stqh_first) { \
		*(head)->stqh_last = (more)->stqh_first; \
		(head)->stqh_last = (more)->stqh_last; \
		STAILQ_INIT(more); \
	} \
} while (0)

#define SIMPLEQ_HEAD(name, type) struct name { struct type *sqh_first; struct type **sqh_last; }
#define SIMPLEQ_HEAD_INITIALIZER(head) { (void *)0, &(head).sqh_first }
#define SIMPLEQ_ENTRY(type) struct { struct type *sqe_next; }
#define SIMPLEQ_EMPTY(head) ((head)->sqh_first == (void *)0)
#define SIMPLEQ_FIRST(head) ((head)->sqh_first)
#define SIMPLEQ_NEXT(elm, field) ((elm)->field.sqe_next)
#define SIMPLEQ_INIT(head) do { \
	(head)->sqh_first = (void *)0; \
	(head)->sqh_last = &(head)->sqh_first; \
} while (0)
#define SIMPLEQ_FOREACH(var, head, field) \
	for ((var) = (head)->sqh_first; (var); (var) = (var)->field.sqe_next)
#define SIMPLEQ_INSERT_HEAD(head, elm, field) do { \
	if (!((elm)->field.sqe_next = (head)->sqh_first)) \
		(head)->sqh_last = &(elm)->field.sqe_next; \
	(head)->sqh_first = (elm); \
} while (0)
#define SIMPLEQ_INSERT_TAIL(head, elm, field) do { \
	(elm)->field.sqe_next = (void *)0; \
	*(head)->sqh_last = (elm); \
	(head)->sqh_last = &(elm)->field.sqe_next; \
} while (0)
#define SIMPLEQ_INSERT_AFTER(head, before, elm, field) do { \
	if (!((elm)->field.sqe_next = (before)->field.sqe_next)) \
		(head)->sqh_last = &(elm)->field.sqe_next; \
	(before)->field.sqe_next = (elm); \
} while (0)
#define SIMPLEQ_REMOVE_HEAD(head, field) do { \
	if (!((head)->sqh_first = (head)->sqh_first->field.sqe_next)) \
		(head)->sqh_last = &(head)->sqh_first; \
} while (0)
#define SIMPLEQ_REMOVE(head, elm, type, field) do { \
	struct type **__link = &(head)->sqh_first; \
	while (*__link != (elm)) \
		__link = &(*__link)->field.sqe_next; \
	if (!(*__link = (*__link)->field.sqe_next)) \
		(head)->sqh_last = __link; \
} while (0)

/* An entry begins like a head, so that the last link of a queue can be read as either. */
#define TAILQ_HEAD(name, type) struct name { struct type *tqh_first; struct type **tqh_last; }
#define TAILQ_HEAD_INITIALIZER(head) { (void *)0, &(head).tqh_first }
#define TAILQ_ENTRY(type) struct { struct type *tqe_next; struct type **tqe_prev; }
#define TAILQ_EMPTY(head) ((head)->tqh_first == (void *)0)
#define TAILQ_FIRST(head) ((head)->tqh_first)
#define TAILQ_NEXT(elm, field) ((elm)->field.tqe_next)
#define TAILQ_LAST(head, name) (*((struct name *)((head)->tqh_last))->tqh_last)
#define TAILQ_PREV(elm, name, field) (*((struct name *)((elm)->field.tqe_prev))->tqh_last)
#define TAILQ_INIT(head) do { \
	(head)->tqh_first = (void *)0; \
	(head)->tqh_last = &(head)->tqh_first; \
} while (0)
#define TAILQ_FOREACH(var, head, field) \
	for ((var) = (head)->tqh_first; (var); (var) = (var)->field.tqe_next)
#define TAILQ_FOREACH_REVERSE(var, head, name, field) \
	for ((var) = TAILQ_LAST(head, name); (var); (var) = TAILQ_PREV(var, name, field))
#define TAILQ_INSERT_HEAD(head, elm, field) do { \
	if (((elm)->field.tqe_next = (head)->tqh_first)) \
		(head)->tqh_first->field.tqe_prev = &(elm)->field.tqe_next; \
	else \
		(head)->tqh_last = &(elm)->field.tqe_next; \
	(head)->tqh_first = (elm); \
	(elm)->field.tqe_prev = &(head)->tqh_first; \
} while (0)
#define TAILQ_INSERT_TAIL(head, elm, field) do { \
	(elm)->field.tqe_next = (void *)0; \
	(elm)->field.tqe_prev = (head)->tqh_last; \
	*(head)->tqh_last = (elm); \
	(head)->tqh_last = &(elm)->field.tqe_next; \
} while (0)
#define TAILQ_INSERT_AFTER(head, before, elm, field) do { \
	if (((elm)->field.tqe_next = (before)->field.tqe_next)) \
		(elm)->field.tqe_next->field.tqe_prev = &(elm)->field.tqe_next; \
	else \
		(head)->tqh_last = &(elm)->field.tqe_next; \
	(before)->field.tqe_next = (elm); \
	(elm)->field.tqe_prev = &(before)->field.tqe_next; \
} while (0)
#define TAILQ_INSERT_BEFORE(behind, elm, field) do { \
	(elm)->field.tqe_prev = (behind)->field.tqe_prev; \
	(elm)->field.tqe_next = (behind); \
	*(behind)->field.tqe_prev = (elm); \
	(behind)->field.tqe_prev = &(elm)->field.tqe_next; \
} while (0)
#define TAILQ_REMOVE(head, elm, field) do { \
	if ((elm)->field.tqe_next) \
		(elm)->field.tqe_next->field.tqe_prev = (elm)->field.tqe_prev; \
	else \
		(head)->tqh_last = (elm)->field.tqe_prev; \
	*(elm)->field.tqe_prev = (elm)->field.tqe_next; \
} while (0)
#define TAILQ_CONCAT(head, more, field) do { \
	if ((more)->tqh_first) { \
		*(head)->tqh_last = (more)->tqh_first; \
		(more)->tqh_first->field.tqe_prev = (head)->tqh_last; \
		(head)->tqh_last = (more)->tqh_last; \
		TAILQ_INIT(more); \
	} \
} while (0)

#define CIRCLEQ_HEAD(name, type) struct name { struct type *cqh_first; struct type *cqh_last; }
#define CIRCLEQ_HEAD_INITIALIZER(head) { (void *)&(head), (void *)&(head) }
#define CIRCLEQ_ENTRY(type) struct { struct type *cqe_next; struct type *cqe_prev; }
#define CIRCLEQ_EMPTY(head) ((head)->cqh_first == (void *)(head))
#define CIRCLEQ_FIRST(head) ((head)->cqh_first)
#define CIRCLEQ_LAST(head) ((head)->cqh_last)
#define CIRCLEQ_NEXT(elm, field) ((elm)->field.cqe_next)
#define CIRCLEQ_PREV(elm, field) ((elm)->field.cqe_prev)
#define CIRCLEQ_LOOP_NEXT(head, elm, field) \
	((elm)->field.cqe_next == (void *)(head) ? (head)->cqh_first : (elm)->field.cqe_next)
#define CIRCLEQ_LOOP_PREV(head, elm, field) \
	((elm)->field.cqe_prev == (void *)(head) ? (head)->cqh_last : (elm)->field.cqe_prev)
#define CIRCLEQ_INIT(head) do { \
	(head)->cqh_first = (void *)(head); \
	(head)->cqh_last = (void *)(head); \
} while (0)
#define CIRCLEQ_FOREACH(var, head, field) \
	for ((var) = (head)->cqh_first; (var) != (void *)(head); (var) = (var)->field.cqe_next)
#define CIRCLEQ_FOREACH_REVERSE(var, head, field) \
	for ((var) = (head)->cqh_last; (var) != (void *)(head); (var) = (var)->field.cqe_prev)
#define CIRCLEQ_INSERT_AFTER(head, before, elm, field) do { \
	(elm)->field.cqe_next = (before)->field.cqe_next; \
	(elm)->field.cqe_prev = (before); \
	if ((before)->field.cqe_next == (void *)(head)) \
		(head)->cqh_last = (elm); \
	else \
		(before)->field.cqe_next->field.cqe_prev = (elm); \
	(before)->field.cqe_next = (elm); \
} while (0)
#define CIRCLEQ_INSERT_BEFORE(head, behind, elm, field) do { \
	(elm)->field.cqe_next = (behind); \
	(elm)->field.cqe_prev = (behind)->field.cqe_prev; \
	if ((behind)->field.cqe_prev == (void *)(head)) \
		(head)->cqh_first = (elm); \
	else \
		(behind)->field.cqe_prev->field.cqe_next = (elm); \
	(behind)->field.cqe_prev = (elm); \
} while (0)
#define CIRCLEQ_INSERT_HEAD(head, elm, field) do { \
	(elm)->field.cqe_next = (head)->cqh_first; \
	(elm)->field.cqe_prev = (void *)(head); \
	if ((head)->cqh_last == (void *)(head)) \
		(head)->cqh_last = (elm); \
	else \
		(head)->cqh_first->field.cqe_prev = (elm); \
	(head)->cqh_first = (elm); \
} while (0)
#define CIRCLEQ_INSERT_TAIL(head, elm, field) do { \
	(elm)->field.cqe_next = (void *)(head); \
	(elm)->field.cqe_prev = (head)->cqh_last; \
	if ((head)->cqh_first == (void *)(head)) \
		(head)->cqh_first = (elm); \
	else \
		(head)->cqh_last->field.cqe_next = (elm); \
	(head)->cqh_last = (elm); \
} while (0)
#define CIRCLEQ_REMOVE(head, elm, field) do { \
	if ((elm)->field.cqe_next == (void *)(head)) \
		(head)->cqh_last = (elm)->field.cqe_prev; \
	else \
		(elm)->field.cqe_next->field.cqe_prev = (elm)->field.cqe_prev; \
	if ((elm)->field.cqe_prev == (void *)(head)) \
		(head)->cqh_first = (elm)->field.cqe_next; \
	else \
		(elm)->field.cqe_prev->field.cqe_next = (elm)->field.cqe_next; \
} while (0)

#endif
