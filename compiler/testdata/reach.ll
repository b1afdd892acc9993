; passes: migrated-reach
; Reached is who can reach __mig_leave, by name, or through a pointer of a matching type to a
; function whose address is taken.
declare void @__mig_leave()
declare void @native(ptr)

@table = global [2 x ptr] [ptr @leaves, ptr @stays]

define i32 @leaves(ptr %p) {
  call void @__mig_leave()
  ret i32 0
}

define i64 @stays(i64 %a, i64 %b) {
  ret i64 %a
}

define void @by_name() {
  %r = call i32 @leaves(ptr null)
  ret void
}

define void @by_pointer(ptr %f) {
  call void %f(i64 1)
  ret void
}

define i64 @by_other_pointer(ptr %f) {
  %r = call i64 %f(i64 1, i64 2)
  ret i64 %r
}

define void @by_caller() {
  call void @by_pointer(ptr null)
  ret void
}

define void @native_only(ptr %p) {
  call void @native(ptr %p)
  ret void
}
