@text = private constant [2 x i8] c"x\00"
@other = internal global i32 3, section "somewhere", align 4
@__start_none = extern_weak global [0 x i8]
@llvm.used = appending global [1 x ptr] [ptr @other], section "llvm.metadata"
@__set_list = internal global <{ i32, [4 x i8], i64, i8 }> <{ i32 1, [4 x i8] zeroinitializer, i64 2, i8 0 }>, align 8
@__set_names = internal constant <{ ptr, i8 }> <{ ptr @text, i8 0 }>, align 8

define i64 @f() {
  %n = sub i64 ptrtoint (ptr getelementptr inbounds (<{ i32, [4 x i8], i64, i8 }>, ptr @__set_list, i32 0, i32 3) to i64), ptrtoint (ptr @__set_list to i64)
  %b = load i64, ptr getelementptr inbounds (<{ i32, [4 x i8], i64, i8 }>, ptr @__set_list, i32 0, i32 2), align 4
  %first = load ptr, ptr @__set_names, align 8
  %last = icmp eq ptr %first, getelementptr inbounds (<{ ptr, i8 }>, ptr @__set_names, i32 0, i32 1)
  %none = icmp eq ptr @__start_none, null
  ret i64 %n
}

define void @rarely() {
  ret void
}
