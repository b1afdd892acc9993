define double @f(double %x, <2 x float> %v, fp128 %l) {
  %a = call double @fma(double %x, double %x, double 1.000000e+00) #1
  %1 = extractelement <2 x float> %v, i64 0
  %2 = extractelement <2 x float> %v, i64 0
  %3 = extractelement <2 x float> %v, i64 0
  %4 = call float @fmaf(float %1, float %2, float %3) #1
  %5 = insertelement <2 x float> poison, float %4, i64 0
  %6 = extractelement <2 x float> %v, i64 1
  %7 = extractelement <2 x float> %v, i64 1
  %8 = extractelement <2 x float> %v, i64 1
  %9 = call float @fmaf(float %6, float %7, float %8) #1
  %b = insertelement <2 x float> %5, float %9, i64 1
  %10 = fmul fp128 %l, %l
  %c = fadd fp128 %10, %l
  ret double %a
}

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare double @llvm.fmuladd.f64(double, double, double) #0

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare <2 x float> @llvm.fmuladd.v2f32(<2 x float>, <2 x float>, <2 x float>) #0

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare fp128 @llvm.fmuladd.f128(fp128, fp128, fp128) #0

declare double @fma(double, double, double)

declare float @fmaf(float, float, float)

attributes #0 = { nocallback nofree nosync nounwind speculatable willreturn memory(none) }
attributes #1 = { willreturn memory(none) }
