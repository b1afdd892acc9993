; passes: migrated-frames
declare void @__mig_leave()
declare x86_fp80 @extended()
declare void @use(x86_fp80)

define void @f() {
  %x = call x86_fp80 @extended()
  call void @__mig_leave()
  call void @use(x86_fp80 %x)
  ret void
}
