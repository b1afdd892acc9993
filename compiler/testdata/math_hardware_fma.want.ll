define double @f(double %x, fp128 %l, ptr %p) {
  %a = call double @llvm.fma.f64(double %x, double %x, double 1.000000e+00)
  %b = call fp128 @fmal(fp128 %l, fp128 %l, fp128 %l) #1
  %c = call double @llvm.fma.f64(double %a, double %x, double %x)
  %d = call double @fma(double %c, double %x, double %x) #2
  %e = call float @fmaf(float 1.000000e+00, float 2.000000e+00, float 3.000000e+00)
  %1 = fmul double %d, %x
  %m = fadd double %1, 2.000000e+00
  ret double %m
}

define float @fmaf(float %x, float %y, float %z) {
  ret float %x
}

declare double @fma(double, double, double)

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare double @llvm.fma.f64(double, double, double) #0

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare double @llvm.fmuladd.f64(double, double, double) #0

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare fp128 @llvm.fma.f128(fp128, fp128, fp128) #0

declare fp128 @fmal(fp128, fp128, fp128)

attributes #0 = { nocallback nofree nosync nounwind speculatable willreturn memory(none) }
attributes #1 = { willreturn memory(none) }
attributes #2 = { nobuiltin }
