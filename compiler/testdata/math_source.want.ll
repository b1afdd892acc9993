define double @f(double %x, fp128 %l) {
  %a = call double @llvm.fmuladd.f64(double %x, double %x, double 1.000000e+00)
  %1 = fmul fp128 %l, %l
  %b = fadd fp128 %1, %l
  %c = call double @fma(double %a, double %x, double %x) #1
  ret double %c
}

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare double @llvm.fma.f64(double, double, double) #0

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare double @llvm.fmuladd.f64(double, double, double) #0

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare fp128 @llvm.fmuladd.f128(fp128, fp128, fp128) #0

declare double @fma(double, double, double)

attributes #0 = { nocallback nofree nosync nounwind speculatable willreturn memory(none) }
attributes #1 = { willreturn memory(none) }
