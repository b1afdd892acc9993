define double @f(double %x, fp128 %l) {
  %a = call double @llvm.fma.f64(double %x, double %x, double 1.000000e+00)
  %b = call fp128 @fmal(fp128 %l, fp128 %l, fp128 %l) #1
  %c = call double @llvm.fma.f64(double %a, double %x, double %x)
  %d = call double @fma(double %c, double %x, double %x)
  ret double %d
}

declare double @fma(double, double, double)

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare double @llvm.fma.f64(double, double, double) #0

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare fp128 @llvm.fma.f128(fp128, fp128, fp128) #0

declare fp128 @fmal(fp128, fp128, fp128)

attributes #0 = { nocallback nofree nosync nounwind speculatable willreturn memory(none) }
attributes #1 = { willreturn memory(none) }
