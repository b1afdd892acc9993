; passes: migrated-bulk
; Where a function can be left, long operations go to the kernel: not short ones, not those of
; functions that stay as they are, not libc's.
declare void @__mig_leave()
declare ptr @memcpy(ptr, ptr, i64)
declare i32 @memcmp(ptr, ptr, i64)
declare void @llvm.memset.p0.i32(ptr, i8, i32, i1)
declare void @llvm.memmove.p0.p0.i64(ptr, ptr, i64, i1)

define ptr @reached(ptr %a, ptr %b, i64 %n, i32 %m) {
  call void @__mig_leave()
  call void @llvm.memmove.p0.p0.i64(ptr %a, ptr %b, i64 65536, i1 false)
  call void @llvm.memset.p0.i32(ptr %a, i8 7, i32 %m, i1 false)
  %p = call ptr @memcpy(ptr %a, ptr %b, i64 %n)
  ret ptr %p
}

define i32 @compares(ptr %a, ptr %b, i64 %n) {
  call void @__mig_leave()
  %c = call i32 @memcmp(ptr %a, ptr %b, i64 %n)
  ret i32 %c
}

define void @leaf(ptr %a, ptr %b, i64 %n) {
  call void @llvm.memmove.p0.p0.i64(ptr %a, ptr %b, i64 %n, i1 false)
  ret void
}

define void @system(ptr %a, i32 %m) "migrated-system" {
  call void @__mig_leave()
  call void @llvm.memset.p0.i32(ptr %a, i8 7, i32 %m, i1 false)
  ret void
}
