target datalayout = "e-m:e-i8:8:32-i16:16:32-i64:64-i128:128-n32:64-S128-Fn32"
target triple = "aarch64-unknown-linux-musl"

; Function Attrs: nounwind uwtable
define void @f() #0 {
  ret void
}

attributes #0 = { nounwind uwtable }

!llvm.module.flags = !{!0}

!0 = !{i32 7, !"uwtable", i32 2}
