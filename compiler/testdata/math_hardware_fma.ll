; passes: migrated-math -migrated-hardware-fma
; The instruction for float and double; long double has none.
define double @f(double %x, fp128 %l) {
  %a = call double @llvm.fma.f64(double %x, double %x, double 1.0)
  %b = call fp128 @llvm.fma.f128(fp128 %l, fp128 %l, fp128 %l)
  ret double %a
}

declare double @llvm.fma.f64(double, double, double)
declare fp128 @llvm.fma.f128(fp128, fp128, fp128)
