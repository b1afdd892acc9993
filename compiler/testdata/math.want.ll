define double @functions(double %x, float %f, fp128 %l, half %h) {
  %exponent = alloca i32, align 4
  %a = call double @sin(double %x) #2
  %b = call float @powf(float %f, float %f) #2
  %c = call fp128 @expl(fp128 %l) #2
  %1 = fpext half %h to float
  %2 = call float @logf(float %1) #2
  %d = fptrunc float %2 to half
  %e = call double @ldexp(double %x, i32 3) #2
  %3 = call double @frexp(double %x, ptr %exponent)
  %4 = load i32, ptr %exponent, align 4
  %5 = insertvalue { double, i32 } poison, double %3, 0
  %g = insertvalue { double, i32 } %5, i32 %4, 1
  %r = call double @fmod(double %x, double %e) #2
  ret double %r
}

define double @exact(double %x, fp128 %l) {
  %a = call double @llvm.sqrt.f64(double %x)
  %b = call double @llvm.floor.f64(double %a)
  %c = call fp128 @floorl(fp128 %l) #2
  %d = call fp128 @llvm.fabs.f128(fp128 %c)
  ret double %b
}

define i64 @integers(double %x, fp128 %l) {
  %1 = call double @llvm.rint.f64(double %x)
  %a = fptosi double %1 to i64
  %2 = call fp128 @roundl(fp128 %l) #2
  %b = fptosi fp128 %2 to i64
  %s = add i64 %a, %b
  ret i64 %s
}

define <2 x double> @vector(<2 x double> %v, <2 x double> %w) {
  %1 = extractelement <2 x double> %v, i64 0
  %2 = call double @cos(double %1) #2
  %3 = insertelement <2 x double> poison, double %2, i64 0
  %4 = extractelement <2 x double> %v, i64 1
  %5 = call double @cos(double %4) #2
  %a = insertelement <2 x double> %3, double %5, i64 1
  %6 = fcmp olt <2 x double> %a, %w
  %7 = select <2 x i1> %6, <2 x double> %a, <2 x double> %w
  %8 = fcmp uno <2 x double> %w, %w
  %b = select <2 x i1> %8, <2 x double> %a, <2 x double> %7
  ret <2 x double> %b
}

define float @fused(float %x) {
  %1 = fmul float %x, %x
  %a = fadd float %1, 1.000000e+00
  %b = call float @fmaf(float %x, float %a, float 1.000000e+00) #2
  %2 = fcmp nnan ogt float %a, %b
  %3 = select nnan i1 %2, float %a, float %b
  %4 = fcmp nnan uno float %b, %b
  %c = select nnan i1 %4, float %a, float %3
  ret float %c
}

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare double @llvm.sin.f64(double) #0

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare float @llvm.pow.f32(float, float) #0

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare fp128 @llvm.exp.f128(fp128) #0

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare half @llvm.log.f16(half) #0

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare double @llvm.ldexp.f64.i32(double, i32) #0

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare { double, i32 } @llvm.frexp.f64.i32(double) #0

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare double @llvm.sqrt.f64(double) #0

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare double @llvm.floor.f64(double) #0

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare fp128 @llvm.floor.f128(fp128) #0

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare fp128 @llvm.fabs.f128(fp128) #0

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare i64 @llvm.lrint.i64.f64(double) #0

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare i64 @llvm.lround.i64.f128(fp128) #0

; Function Attrs: nocallback nofree nosync nounwind willreturn memory(inaccessiblemem: readwrite)
declare i32 @llvm.get.rounding() #1

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare <2 x double> @llvm.cos.v2f64(<2 x double>) #0

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare <2 x double> @llvm.minnum.v2f64(<2 x double>, <2 x double>) #0

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare float @llvm.fmuladd.f32(float, float, float) #0

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare float @llvm.fma.f32(float, float, float) #0

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare float @llvm.maxnum.f32(float, float) #0

declare double @sin(double)

declare float @powf(float, float)

declare fp128 @expl(fp128)

declare float @logf(float)

declare double @ldexp(double, i32)

declare double @frexp(double, ptr)

declare double @fmod(double, double)

declare fp128 @floorl(fp128)

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare double @llvm.rint.f64(double) #0

declare fp128 @roundl(fp128)

declare double @cos(double)

declare float @fmaf(float, float, float)

attributes #0 = { nocallback nofree nosync nounwind speculatable willreturn memory(none) }
attributes #1 = { nocallback nofree nosync nounwind willreturn memory(inaccessiblemem: readwrite) }
attributes #2 = { willreturn memory(none) }
