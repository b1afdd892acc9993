target datalayout = "e-m:e-p:64:64-i64:64-i128:128-n32:64-S128"
target triple = "riscv64-unknown-linux-musl"

; Function Attrs: nounwind
define double @root(double %x) #0 {
  call void asm sideeffect "", "~{memory}"()
  %e = call double @pow(double %x, double 0x3FD55555318ABC87) #4
  %r = call double @llvm.sqrt.f64(double %e)
  %i = call i32 @strlen.static(double %r)
  ret double %r
}

define internal i32 @strlen.static(double %x) #1 {
  ret i32 0
}

; Function Attrs: noinline
define internal void @large() #2 {
  %a = alloca [1000 x i8], align 1
  %b = alloca [3 x i64], align 8
  ret void
}

define internal void @small() #1 {
  %a = alloca [1000 x i8], align 1
  ret void
}

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare double @llvm.pow.f64(double, double) #3

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare double @llvm.sqrt.f64(double) #3

declare double @pow(double, double)

attributes #0 = { nounwind "migrated-checked" "migrated-system" }
attributes #1 = { "migrated-checked" "migrated-system" }
attributes #2 = { noinline "migrated-checked" "migrated-system" }
attributes #3 = { nocallback nofree nosync nounwind speculatable willreturn memory(none) }
attributes #4 = { willreturn memory(none) }

!migrated.units = !{!0}

!0 = !{!"migrated unit 1", !"<stdin>"}
