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

; What changes is kept where setjmp is called; elsewhere it is in registers.
define i32 @loops(ptr %buffer, ptr %code) {
entry:
  %start = load i32, ptr %code
  br label %loop
loop:
  %pc = phi i32 [ %start, %entry ], [ %next, %back ]
  %next = add i32 %pc, 1
  %at = getelementptr i8, ptr %code, i64 8
  %op = load i32, ptr %at
  %try = icmp eq i32 %op, 1
  br i1 %try, label %set, label %run
set:
  %r = call i32 @setjmp(ptr %buffer) returns_twice
  %thrown = icmp ne i32 %r, 0
  br i1 %thrown, label %done, label %back
run:
  call void @__mig_leave()
  br label %back
back:
  %end = icmp eq i32 %next, %start
  br i1 %end, label %done, label %loop
done:
  %sum = phi i32 [ %pc, %set ], [ %next, %back ]
  %field = load i32, ptr %at
  %all = add i32 %sum, %field
  ret i32 %all
}
