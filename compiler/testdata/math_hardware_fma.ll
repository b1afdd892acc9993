; passes: migrated-math -migrated-hardware-fma
; The instruction for float and double; long double has none. A call
; that migrated-check has put in place of the intrinsic function becomes one again.
define double @f(double %x, fp128 %l) {
  %a = call double @llvm.fma.f64(double %x, double %x, double 1.0)
  %b = call fp128 @llvm.fma.f128(fp128 %l, fp128 %l, fp128 %l)
  %c = call double @fma(double %a, double %x, double %x) memory(none)
  %d = call double @fma(double %c, double %x, double %x)
  ret double %d
}

declare double @fma(double, double, double)

declare double @llvm.fma.f64(double, double, double)
declare fp128 @llvm.fma.f128(fp128, fp128, fp128)
