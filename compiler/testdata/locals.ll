; passes: migrated-locals
; Accesses say of which local variable they are, and of which they are not. An argument is apart
; from all; a loaded pointer from those whose address is kept nowhere. Calls say nothing.
declare void @__mig_leave()
declare void @keep(ptr)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)

define i64 @arrays(ptr %p, i64 %n) {
  %a = alloca [64 x i64]
  %b = alloca [64 x i64]
  %kept = alloca i64
  call void @keep(ptr %kept)
  %x = getelementptr i64, ptr %a, i64 %n
  store i64 1, ptr %x
  %y = getelementptr i64, ptr %b, i64 %n
  store i64 2, ptr %y
  store i64 3, ptr %p
  %q = load ptr, ptr %p
  store i64 4, ptr %q
  %r = load i64, ptr %kept
  call void @__mig_leave()
  %s = load i64, ptr %x
  %t = add i64 %r, %s
  ret i64 %t
}

; One of two, and a copy from one to memory that is none of them.
define void @several(ptr %p, i1 %c) {
  %a = alloca [64 x i64]
  %b = alloca [64 x i64]
  call void @llvm.memset.p0.i64(ptr %a, i8 0, i64 512, i1 false)
  %either = select i1 %c, ptr %a, ptr %b
  store i64 1, ptr %either
  call void @__mig_leave()
  call void @llvm.memcpy.p0.p0.i64(ptr %p, ptr %b, i64 512, i1 false)
  %v = load volatile i64, ptr %a
  ret void
}

; Nothing is known of what may be of other memory too.
define void @unknown(ptr %p, i1 %c) {
  %a = alloca i64
  store i64 1, ptr %a
  %one = select i1 %c, ptr %a, ptr %p
  store i64 2, ptr %one
  call void @__mig_leave()
  ret void
}

define void @native(ptr %p) {
  %a = alloca i64
  store i64 1, ptr %a
  store i64 2, ptr %p
  ret void
}
