; passes: migrated-ctors
; By priority, then in order; the end symbol points behind the last.
@llvm.global_ctors = appending global [3 x { i32, ptr, ptr }] [{ i32, ptr, ptr } { i32 65535, ptr @b, ptr null }, { i32, ptr, ptr } { i32 65535, ptr @c, ptr null }, { i32, ptr, ptr } { i32 101, ptr @a, ptr null }]
@__init_array_start = external hidden constant ptr
@__init_array_end = external hidden constant ptr
@__fini_array_start = external hidden constant ptr
@__fini_array_end = external hidden constant ptr

declare void @a()
declare void @b()
declare void @c()

define i64 @size() {
  %i = sub i64 ptrtoint (ptr @__init_array_end to i64), ptrtoint (ptr @__init_array_start to i64)
  %f = sub i64 ptrtoint (ptr @__fini_array_end to i64), ptrtoint (ptr @__fini_array_start to i64)
  %s = add i64 %i, %f
  ret i64 %s
}
