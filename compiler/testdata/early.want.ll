declare void @__mig_leave()

declare i64 @native(i64)

define i1 @greater(ptr noalias %a, ptr noalias %b, i32 zeroext %n) {
entry:
  %a0 = load i64, ptr %a, align 4
  %b0 = load i64, ptr %b, align 4
  %same0 = icmp eq i64 %a0, %b0
  br i1 %same0, label %second, label %differ

second:                                           ; preds = %entry
  %a.1 = getelementptr i64, ptr %a, i64 1
  %b.1 = getelementptr i64, ptr %b, i64 1
  %a1 = load i64, ptr %a.1, align 4
  %b1 = load i64, ptr %b.1, align 4
  %same1 = icmp eq i64 %a1, %b1
  br i1 %same1, label %before, label %differ

before:                                           ; preds = %second
  %0 = tail call i1 @greater.rest(ptr %b, i32 zeroext %n, ptr %a.1)
  ret i1 %0

differ:                                           ; preds = %second, %entry
  %x = phi i64 [ %a0, %entry ], [ %a1, %second ]
  %y = phi i64 [ %b0, %entry ], [ %b1, %second ]
  %r = icmp ugt i64 %x, %y
  ret i1 %r
}

; Function Attrs: noinline
define internal i1 @greater.rest(ptr %b, i32 zeroext %n, ptr %a.1) #0 {
begin:
  br label %before.split

before.split:                                     ; preds = %begin
  %next = add i32 %n, 1
  br label %loop

loop:                                             ; preds = %more, %before.split
  %i = phi i32 [ %next, %before.split ], [ %less, %more ]
  %av = load i64, ptr %a.1, align 4
  %bv = load i64, ptr %b, align 4
  %same = icmp eq i64 %av, %bv
  br i1 %same, label %more, label %differ

more:                                             ; preds = %loop
  call void @__mig_leave()
  %less = add i32 %i, -1
  %done = icmp eq i32 %less, 0
  br i1 %done, label %end, label %loop

end:                                              ; preds = %more
  ret i1 false

differ:                                           ; preds = %loop
  %r = icmp ugt i64 %av, %bv
  ret i1 %r
}

define i64 @half(i64 %n) {
  %small = icmp ult i64 %n, 5
  br i1 %small, label %early, label %rest

early:                                            ; preds = %0
  ret i64 %n

rest:                                             ; preds = %0
  call void @__mig_leave()
  %r = add i64 %n, 1
  ret i64 %r
}

define i64 @calls_early(i64 %n, i1 %p, i1 %q, i1 %s) {
  br i1 %p, label %a, label %early

a:                                                ; preds = %0
  br i1 %q, label %b, label %early

b:                                                ; preds = %a
  br i1 %s, label %rest, label %early

early:                                            ; preds = %b, %a, %0
  %e = call i64 @native(i64 %n)
  %sum = add i64 %e, %n
  ret i64 %sum

rest:                                             ; preds = %b
  call void @__mig_leave()
  %r = add i64 %n, 1
  ret i64 %r
}

define void @in_loop(ptr %p) {
entry:
  br label %loop

loop:                                             ; preds = %leave, %entry
  %v = load volatile i64, ptr %p, align 4
  %a = icmp eq i64 %v, 1
  br i1 %a, label %early, label %b

b:                                                ; preds = %loop
  %w = load volatile i64, ptr %p, align 4
  %c = icmp eq i64 %w, 2
  br i1 %c, label %early, label %leave

leave:                                            ; preds = %b
  call void @__mig_leave()
  store i64 3, ptr %p, align 4
  br label %loop

early:                                            ; preds = %b, %loop
  ret void
}

attributes #0 = { noinline }
