; passes: migrated-math -migrated-fuse
; Where a build has no instruction for it, a*b+c rounded once is libc's function in all.
define double @f(double %x, <2 x float> %v, fp128 %l) {
  %a = call double @llvm.fmuladd.f64(double %x, double %x, double 1.0)
  %b = call <2 x float> @llvm.fmuladd.v2f32(<2 x float> %v, <2 x float> %v, <2 x float> %v)
  %c = call fp128 @llvm.fmuladd.f128(fp128 %l, fp128 %l, fp128 %l)
  ret double %a
}

declare double @llvm.fmuladd.f64(double, double, double)
declare <2 x float> @llvm.fmuladd.v2f32(<2 x float>, <2 x float>, <2 x float>)
declare fp128 @llvm.fmuladd.f128(fp128, fp128, fp128)
