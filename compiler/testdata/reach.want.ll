@table = global [2 x ptr] [ptr @leaves, ptr @stays]

declare void @__mig_leave()

declare void @native(ptr)

define i32 @leaves(ptr %p) #0 {
  call void @__mig_leave()
  ret i32 0
}

define i64 @stays(i64 %a, i64 %b) {
  ret i64 %a
}

define void @by_name() #0 {
  %r = call i32 @leaves(ptr null)
  ret void
}

define void @by_pointer(ptr %f) #0 {
  call void %f(i64 1)
  ret void
}

define i64 @by_other_pointer(ptr %f) {
  %r = call i64 %f(i64 1, i64 2)
  ret i64 %r
}

define void @by_caller() #0 {
  call void @by_pointer(ptr null)
  ret void
}

define void @native_only(ptr %p) {
  call void @native(ptr %p)
  ret void
}

attributes #0 = { "reached" }
