@__mig_init_array = internal constant [4 x ptr] [ptr @a, ptr @b, ptr @c, ptr null], align 8
@__mig_fini_array = internal constant [1 x ptr] zeroinitializer, align 8

declare void @a()

declare void @b()

declare void @c()

define i64 @size() {
  %i = sub i64 ptrtoint (ptr getelementptr inbounds (ptr, ptr @__mig_init_array, i64 3) to i64), ptrtoint (ptr @__mig_init_array to i64)
  %f = sub i64 ptrtoint (ptr @__mig_fini_array to i64), ptrtoint (ptr @__mig_fini_array to i64)
  %s = add i64 %i, %f
  ret i64 %s
}
