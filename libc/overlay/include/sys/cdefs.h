/* What programs take from glibc's header of this name; musl has none. */
#ifndef _SYS_CDEFS_H
#define _SYS_CDEFS_H

#include <features.h>

#ifdef __cplusplus
#define __BEGIN_DECLS extern "C" {
#define __END_DECLS }
#define __THROW noexcept(true)
#else
#define __BEGIN_DECLS
#define __END_DECLS
#define __THROW __attribute__((__nothrow__))
#endif
#define __NTH(function) function __THROW

#define __P(arguments) arguments
#define __PMT(arguments) arguments
#define __CONCAT(a, b) a##b
#define __STRING(a) #a
#define __ptr_t void *

#define __attribute_const__ __attribute__((__const__))
#define __attribute_pure__ __attribute__((__pure__))
#define __attribute_malloc__ __attribute__((__malloc__))
#define __attribute_deprecated__ __attribute__((__deprecated__))
#define __attribute_format_arg__(n) __attribute__((__format_arg__(n)))
#define __attribute_format_strfmon__(a, b) __attribute__((__format__(__strfmon__, a, b)))
#define __attribute_noinline__ __attribute__((__noinline__))
#define __attribute_used__ __attribute__((__used__))
#define __attribute_warn_unused_result__ __attribute__((__warn_unused_result__))
#define __nonnull(arguments) __attribute__((__nonnull__ arguments))
#define __returns_nonnull __attribute__((__returns_nonnull__))
#define __always_inline inline __attribute__((__always_inline__))

#ifndef __has_attribute
#define __has_attribute(a) 0
#endif

#endif
