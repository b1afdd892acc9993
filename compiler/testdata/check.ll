; passes: migrated-check -migrated-system
; What passes is marked, loses the stand-in's CPU, and calls libm's functions by name. A static
; function is not taken for the library's because of its name. The library's large frames are not inlined.
target triple = "riscv64-unknown-linux-musl"

define double @root(double %x) #0 {
  call void asm sideeffect "", "~{memory}"()
  %e = call double @llvm.pow.f64(double %x, double 3.333333e-01)
  %r = call double @llvm.sqrt.f64(double %e)
  %i = call i32 @strlen(double %r)
  ret double %r
}

define internal i32 @strlen(double %x) {
  ret i32 0
}

define internal void @large() {
  %a = alloca [1000 x i8]
  %b = alloca [3 x i64]
  ret void
}

define internal void @small() {
  %a = alloca [1000 x i8]
  ret void
}

declare double @llvm.pow.f64(double, double)
declare double @llvm.sqrt.f64(double)

attributes #0 = { nounwind "target-cpu"="generic-rv64" "target-features"="+64bit" }
