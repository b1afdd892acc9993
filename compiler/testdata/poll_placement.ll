; passes: migrated-poll
; Recursion polls before it goes deeper, not where it ends: fib in its loop, once an iteration,
; depth behind its base case. A loop that calls a function without loops is strip-mined.

define i32 @fib(i32 %n) {
entry:
  %base = icmp ult i32 %n, 2
  br i1 %base, label %exit, label %loop
loop:
  %m = phi i32 [ %less, %loop ], [ %n, %entry ]
  %sum = phi i32 [ %more, %loop ], [ 0, %entry ]
  %one = sub i32 %m, 1
  %r = call i32 @fib(i32 %one)
  %more = add i32 %sum, %r
  %less = sub i32 %m, 2
  %done = icmp ult i32 %less, 2
  br i1 %done, label %exit, label %loop
exit:
  %last = phi i32 [ %n, %entry ], [ %less, %loop ]
  %before = phi i32 [ 0, %entry ], [ %more, %loop ]
  %all = add i32 %last, %before
  ret i32 %all
}

define i32 @depth(ptr %tree) {
entry:
  %empty = icmp eq ptr %tree, null
  br i1 %empty, label %exit, label %inner
inner:
  %left = load ptr, ptr %tree
  %a = call i32 @depth(ptr %left)
  %at = getelementptr i8, ptr %tree, i64 8
  %right = load ptr, ptr %at
  %b = call i32 @depth(ptr %right)
  %most = call i32 @llvm.umax.i32(i32 %a, i32 %b)
  %d = add i32 %most, 1
  br label %exit
exit:
  %r = phi i32 [ 0, %entry ], [ %d, %inner ]
  ret i32 %r
}

define void @mix(ptr %state, i64 %with) noinline {
  %old = load i64, ptr %state
  %new = xor i64 %old, %with
  store i64 %new, ptr %state
  ret void
}

define void @hash(ptr %state, i64 %n) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  call void @mix(ptr %state, i64 %i)
  %next = add i64 %i, 1
  %done = icmp eq i64 %next, %n
  br i1 %done, label %exit, label %loop
exit:
  ret void
}
