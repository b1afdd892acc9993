; passes: migrated-source-math
; When a file is compiled it is not known yet which builds there will be: float and double
; stay to be decided. fma is a call, so that the linker finds it.
define double @f(double %x, fp128 %l) {
  %a = call double @llvm.fmuladd.f64(double %x, double %x, double 1.0)
  %b = call fp128 @llvm.fmuladd.f128(fp128 %l, fp128 %l, fp128 %l)
  %c = call double @llvm.fma.f64(double %a, double %x, double %x)
  ret double %c
}

declare double @llvm.fma.f64(double, double, double)
declare double @llvm.fmuladd.f64(double, double, double)
declare fp128 @llvm.fmuladd.f128(fp128, fp128, fp128)
