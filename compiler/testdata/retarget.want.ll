target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
target triple = "x86_64-unknown-linux-musl"

@bytes = global [20 x i8] zeroinitializer, align 16
@aligned = global i32 0, align 32

define void @f() #0 {
  call void @g() #3
  call void @llvm.trap()
  ret void
}

; Function Attrs: noinline
define void @g() #1 {
  ret void
}

; Function Attrs: cold noreturn nounwind memory(inaccessiblemem: write)
declare void @llvm.trap() #2

attributes #0 = { "migrated-checked" "no-builtin-puts" }
attributes #1 = { noinline }
attributes #2 = { cold noreturn nounwind memory(inaccessiblemem: write) }
attributes #3 = { cold }

!llvm.module.flags = !{!0, !1}

!0 = !{i32 2, !"Debug Info Version", i32 3}
!1 = !{i32 1, !"wchar_size", i32 4}
