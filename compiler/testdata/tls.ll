; passes: migrated-tls
; Offsets in the order of the variables; constant expressions and PHIs as users.
@c = internal thread_local global i8 7
@wide = internal thread_local global [3 x i32] [i32 1, i32 2, i32 3], align 32
@pointer = thread_local global ptr @user
@__mig_tls_size = external constant i64

define ptr @user(i1 %x) {
entry:
  %a = call ptr @llvm.threadlocal.address.p0(ptr @c)
  store i8 1, ptr %a
  br i1 %x, label %left, label %right

left:
  br label %right

right:
  %p = phi ptr [ @wide, %entry ], [ getelementptr ([3 x i32], ptr @wide, i64 0, i64 2), %left ]
  ret ptr %p
}

define i64 @size() {
  %n = load i64, ptr @__mig_tls_size
  ret i64 %n
}

declare ptr @llvm.threadlocal.address.p0(ptr)
