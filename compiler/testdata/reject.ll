; passes: migrated-reject
declare void @__mig_leave()
declare ptr @llvm.frameaddress.p0(i32)

define internal void @assembly() {
  call void asm sideeffect "", "~{memory}"()
  call void asm sideeffect "pause", ""()
  call void @__mig_leave()
  ret void
}

define internal ptr @frame() {
  call void @__mig_leave()
  %p = call ptr @llvm.frameaddress.p0(i32 0)
  ret ptr %p
}

define internal void @tail() {
  musttail call void @__mig_leave()
  ret void
}

define void @from_native() {
  call void @tail()
  ret void
}

define void @elsewhere() {
  call void asm sideeffect "pause", ""()
  ret void
}
