; passes: migrated-math
; Calls of libc's functions by type, comparisons, or nothing to do.
define double @functions(double %x, float %f, fp128 %l, half %h) {
  %a = call double @llvm.sin.f64(double %x)
  %b = call float @llvm.pow.f32(float %f, float %f)
  %c = call fp128 @llvm.exp.f128(fp128 %l)
  %d = call half @llvm.log.f16(half %h)
  %e = call double @llvm.ldexp.f64.i32(double %x, i32 3)
  %g = call { double, i32 } @llvm.frexp.f64.i32(double %x)
  %r = frem double %x, %e
  ret double %r
}

define double @exact(double %x, fp128 %l) {
  %a = call double @llvm.sqrt.f64(double %x)
  %b = call double @llvm.floor.f64(double %a)
  %c = call fp128 @llvm.floor.f128(fp128 %l)
  %d = call fp128 @llvm.fabs.f128(fp128 %c)
  ret double %b
}

define i64 @integers(double %x, fp128 %l) {
  %a = call i64 @llvm.lrint.i64.f64(double %x)
  %b = call i64 @llvm.lround.i64.f128(fp128 %l)
  %c = call i32 @llvm.get.rounding()
  %s = add i64 %a, %b
  ret i64 %s
}

define <2 x double> @vector(<2 x double> %v, <2 x double> %w) {
  %a = call <2 x double> @llvm.cos.v2f64(<2 x double> %v)
  %b = call <2 x double> @llvm.minnum.v2f64(<2 x double> %a, <2 x double> %w)
  ret <2 x double> %b
}

define float @fused(float %x) {
  %a = call float @llvm.fmuladd.f32(float %x, float %x, float 1.0)
  %b = call float @llvm.fma.f32(float %x, float %a, float 1.0)
  %c = call nnan float @llvm.maxnum.f32(float %a, float %b)
  ret float %c
}

declare double @llvm.sin.f64(double)
declare float @llvm.pow.f32(float, float)
declare fp128 @llvm.exp.f128(fp128)
declare half @llvm.log.f16(half)
declare double @llvm.ldexp.f64.i32(double, i32)
declare { double, i32 } @llvm.frexp.f64.i32(double)
declare double @llvm.sqrt.f64(double)
declare double @llvm.floor.f64(double)
declare fp128 @llvm.floor.f128(fp128)
declare fp128 @llvm.fabs.f128(fp128)
declare i64 @llvm.lrint.i64.f64(double)
declare i64 @llvm.lround.i64.f128(fp128)
declare i32 @llvm.get.rounding()
declare <2 x double> @llvm.cos.v2f64(<2 x double>)
declare <2 x double> @llvm.minnum.v2f64(<2 x double>, <2 x double>)
declare float @llvm.fmuladd.f32(float, float, float)
declare float @llvm.fma.f32(float, float, float)
declare float @llvm.maxnum.f32(float, float)
