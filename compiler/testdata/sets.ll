; passes: migrated-sets
; The members of a set lie behind each other in their order, each aligned, and the bounds
; are the ends of the one variable that they become. A weak bound of a set that has no
; members stays: it is null. Other sections mean nothing, of functions as of variables.
@a = internal global i32 1, section "list", align 4
@b = internal global i64 2, section "list", align 8
@text = private constant [2 x i8] c"x\00"
@c = internal constant ptr @text, section "names", align 8
@other = internal global i32 3, section "somewhere", align 4
@__start_list = external global [0 x i8]
@__stop_list = external global [0 x i8]
@__start_names = external constant [0 x ptr]
@__stop_names = external hidden constant [0 x ptr]
@__start_none = extern_weak global [0 x i8]
@llvm.used = appending global [3 x ptr] [ptr @a, ptr @c, ptr @other], section "llvm.metadata"

define i64 @f() {
  %n = sub i64 ptrtoint (ptr @__stop_list to i64), ptrtoint (ptr @__start_list to i64)
  %b = load i64, ptr @b
  %first = load ptr, ptr @__start_names
  %last = icmp eq ptr %first, @__stop_names
  %none = icmp eq ptr @__start_none, null
  ret i64 %n
}

define void @rarely() section "text_env" {
  ret void
}
