; passes: migrated-strict-fp
define i32 @f(float %x, double %d, ptr %p) strictfp {
  %a = call float @llvm.experimental.constrained.fadd.f32(float %x, float 1.0, metadata !"round.dynamic", metadata !"fpexcept.strict") strictfp
  %b = call double @llvm.experimental.constrained.fpext.f64.f32(float %a, metadata !"fpexcept.strict") strictfp
  %c = call i1 @llvm.experimental.constrained.fcmps.f64(double %b, double %d, metadata !"oge", metadata !"fpexcept.strict") strictfp
  %r = call double @llvm.experimental.constrained.rint.f64(double %d, metadata !"round.dynamic", metadata !"fpexcept.strict") strictfp
  %i = call i32 @llvm.experimental.constrained.fptosi.i32.f64(double %r, metadata !"fpexcept.strict") strictfp
  %m = call double @llvm.experimental.constrained.fmuladd.f64(double %r, double %r, double %d, metadata !"round.dynamic", metadata !"fpexcept.strict") strictfp
  store volatile double %m, ptr %p
  call void @g() strictfp
  %s = select i1 %c, i32 %i, i32 0
  ret i32 %s
}

declare void @g()
declare float @llvm.experimental.constrained.fadd.f32(float, float, metadata, metadata)
declare double @llvm.experimental.constrained.fpext.f64.f32(float, metadata)
declare i1 @llvm.experimental.constrained.fcmps.f64(double, double, metadata, metadata)
declare double @llvm.experimental.constrained.rint.f64(double, metadata, metadata)
declare double @llvm.experimental.constrained.fmuladd.f64(double, double, double, metadata, metadata)
declare i32 @llvm.experimental.constrained.fptosi.i32.f64(double, metadata)
