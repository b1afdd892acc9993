; passes: migrated-math -migrated-hardware-fma -migrated-fuse
; a*b+c rounded once: for float and double, and vectors of them. No build fuses long double
; or half precision.
define <2 x double> @f(<2 x double> %v, float %x, fp128 %l, half %h) {
  %a = call <2 x double> @llvm.fmuladd.v2f64(<2 x double> %v, <2 x double> %v, <2 x double> %v)
  %b = call float @llvm.fmuladd.f32(float %x, float %x, float 1.0)
  %c = call fp128 @llvm.fmuladd.f128(fp128 %l, fp128 %l, fp128 %l)
  %d = call half @llvm.fmuladd.f16(half %h, half %h, half %h)
  ret <2 x double> %a
}

declare <2 x double> @llvm.fmuladd.v2f64(<2 x double>, <2 x double>, <2 x double>)
declare float @llvm.fmuladd.f32(float, float, float)
declare fp128 @llvm.fmuladd.f128(fp128, fp128, fp128)
declare half @llvm.fmuladd.f16(half, half, half)
