; passes: migrated-math -migrated-hardware-fma
; The instruction for float and double; long double has none. A call of libc's fma becomes
; one too; that of a program's own fma, or of one that asks for a call, stays. Without
; -migrated-fuse a*b+c is two operations.
define double @f(double %x, fp128 %l, ptr %p) {
  %a = call double @llvm.fma.f64(double %x, double %x, double 1.0)
  %b = call fp128 @llvm.fma.f128(fp128 %l, fp128 %l, fp128 %l)
  %c = call double @fma(double %a, double %x, double %x)
  %d = call double @fma(double %c, double %x, double %x) nobuiltin
  %e = call float @fmaf(float 1.0, float 2.0, float 3.0)
  %m = call double @llvm.fmuladd.f64(double %d, double %x, double 2.0)
  ret double %m
}

define float @fmaf(float %x, float %y, float %z) {
  ret float %x
}

declare double @fma(double, double, double)
declare double @llvm.fma.f64(double, double, double)
declare double @llvm.fmuladd.f64(double, double, double)
declare fp128 @llvm.fma.f128(fp128, fp128, fp128)
