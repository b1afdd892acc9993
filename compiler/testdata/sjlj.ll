; passes: migrated-sjlj
; What lives behind a setjmp stays in memory where the frame can be left; elsewhere a call of
; the runtime's is all.
declare i32 @setjmp(ptr) returns_twice
declare void @longjmp(ptr, i32) noreturn
declare void @__mig_leave()

define i32 @moves(ptr %buffer, i32 %x) {
entry:
  %y = add i32 %x, 1
  %r = call i32 @setjmp(ptr %buffer) returns_twice
  %again = icmp ne i32 %r, 0
  br i1 %again, label %join, label %first
first:
  call void @__mig_leave()
  br label %join
join:
  %p = phi i32 [ %y, %entry ], [ %x, %first ]
  %sum = add i32 %p, %r
  ret i32 %sum
}

define i32 @stays(ptr %buffer, i32 %x) {
  %r = call i32 @setjmp(ptr %buffer) returns_twice
  %sum = add i32 %x, %r
  ret i32 %sum
}

define void @jump(ptr %buffer) {
  call void @longjmp(ptr %buffer, i32 2) noreturn
  unreachable
}
