; passes: migrated-early
; A function that mostly returns before it gets to a call which can leave is cut there; the rest
; is called last. What both parts return through is in both.
declare void @__mig_leave()
declare i64 @native(i64)

define i1 @greater(ptr noalias %a, ptr noalias %b, i32 zeroext %n) {
entry:
  %a0 = load i64, ptr %a
  %b0 = load i64, ptr %b
  %same0 = icmp eq i64 %a0, %b0
  br i1 %same0, label %second, label %differ
second:
  %a.1 = getelementptr i64, ptr %a, i64 1
  %b.1 = getelementptr i64, ptr %b, i64 1
  %a1 = load i64, ptr %a.1
  %b1 = load i64, ptr %b.1
  %same1 = icmp eq i64 %a1, %b1
  br i1 %same1, label %before, label %differ
before:
  %next = add i32 %n, 1
  br label %loop
loop:
  %i = phi i32 [ %next, %before ], [ %less, %more ]
  %av = load i64, ptr %a.1
  %bv = load i64, ptr %b
  %same = icmp eq i64 %av, %bv
  br i1 %same, label %more, label %differ
more:
  call void @__mig_leave()
  %less = add i32 %i, -1
  %done = icmp eq i32 %less, 0
  br i1 %done, label %end, label %loop
end:
  ret i1 false
differ:
  %x = phi i64 [ %a0, %entry ], [ %a1, %second ], [ %av, %loop ]
  %y = phi i64 [ %b0, %entry ], [ %b1, %second ], [ %bv, %loop ]
  %r = icmp ugt i64 %x, %y
  ret i1 %r
}

; Half of the calls go on: nothing would be won.
define i64 @half(i64 %n) {
  %small = icmp ult i64 %n, 5
  br i1 %small, label %early, label %rest
early:
  ret i64 %n
rest:
  call void @__mig_leave()
  %r = add i64 %n, 1
  ret i64 %r
}

; Registers are saved for the native call anyway.
define i64 @calls_early(i64 %n, i1 %p, i1 %q, i1 %s) {
  br i1 %p, label %a, label %early
a:
  br i1 %q, label %b, label %early
b:
  br i1 %s, label %rest, label %early
early:
  %e = call i64 @native(i64 %n)
  %sum = add i64 %e, %n
  ret i64 %sum
rest:
  call void @__mig_leave()
  %r = add i64 %n, 1
  ret i64 %r
}

; Where the loop that can leave has begun, it is too late.
define void @in_loop(ptr %p) {
entry:
  br label %loop
loop:
  %v = load volatile i64, ptr %p
  %a = icmp eq i64 %v, 1
  br i1 %a, label %early, label %b
b:
  %w = load volatile i64, ptr %p
  %c = icmp eq i64 %w, 2
  br i1 %c, label %early, label %leave
leave:
  call void @__mig_leave()
  store i64 3, ptr %p
  br label %loop
early:
  ret void
}
