; passes: migrated-retarget
; Nothing of the stand-in ISA is left, nor any nounwind; alignments are fixed as they were.
target datalayout = "e-m:e-p:64:64-i64:64-i128:128-n32:64-S128"
target triple = "riscv64-unknown-linux-musl"

@bytes = global [20 x i8] zeroinitializer
@aligned = global i32 0, align 32

define void @f() #0 {
  call void @g() #1
  call void @llvm.trap()
  ret void
}

define fastcc void @g() noinline optnone {
  ret void
}

declare void @llvm.trap()

attributes #0 = { nounwind uwtable sspstrong "frame-pointer"="all" "target-cpu"="generic-rv64" "migrated-checked" "no-builtin-puts" "unsafe-fp-math"="true" }
attributes #1 = { nounwind cold }

!llvm.module.flags = !{!0, !1, !2, !3}
!llvm.ident = !{!4}
!migrated.units = !{!5}
!0 = !{i32 2, !"Debug Info Version", i32 3}
!1 = !{i32 1, !"target-abi", !"lp64d"}
!2 = !{i32 8, !"PIC Level", i32 2}
!3 = !{i32 1, !"wchar_size", i32 4}
!4 = !{!"a compiler"}
!5 = !{!"migrated unit 1", !"file.c"}
