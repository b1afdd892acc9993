@callback = global ptr @visit
@__mig_ssp = external global ptr
@__mig_ssp_limit = external global ptr

define i64 @even(i64 %n) {
  %pending = load volatile i32, ptr inttoptr (i64 33554432 to ptr), align 4
  %1 = icmp ne i32 %pending, 0
  br i1 %1, label %2, label %3, !prof !0

2:                                                ; preds = %0
  call void @__mig_poll_slow() #1
  br label %3

3:                                                ; preds = %0, %2
  %m = sub i64 %n, 1
  %r = call i64 @odd(i64 %m)
  ret i64 %r
}

define i64 @odd(i64 %n) {
  %m = sub i64 %n, 1
  %r = call i64 @even(i64 %m)
  ret i64 %r
}

define void @visit(ptr %p) {
  %pending = load volatile i32, ptr inttoptr (i64 33554432 to ptr), align 4
  %1 = icmp ne i32 %pending, 0
  br i1 %1, label %2, label %3, !prof !0

2:                                                ; preds = %0
  call void @__mig_poll_slow() #1
  br label %3

3:                                                ; preds = %0, %2
  %f = load ptr, ptr @callback, align 8
  call void %f(ptr %p)
  ret void
}

define i64 @sum(i64 %n) {
  %a = alloca i64, align 8
  %pending = load volatile i32, ptr inttoptr (i64 33554432 to ptr), align 4
  %1 = icmp ne i32 %pending, 0
  %2 = load ptr, ptr @__mig_ssp, align 8
  %3 = load ptr, ptr @__mig_ssp_limit, align 8
  %full = icmp ult ptr %2, %3
  %4 = or i1 %1, %full
  br i1 %4, label %5, label %6, !prof !0

5:                                                ; preds = %0
  call void @__mig_poll_slow() #1
  br label %6

6:                                                ; preds = %0, %5
  %m = sub i64 %n, 1
  call void @use(ptr %a)
  %r = call i64 @sum(i64 %m)
  ret i64 %r
}

declare void @use(ptr)

define i64 @leaf(i64 %n) {
  %r = call i64 @even(i64 %n)
  ret i64 %r
}

define void @each(ptr %f, i64 %n) #0 {
entry:
  br label %loop

loop:                                             ; preds = %2, %entry
  %i = phi i64 [ 0, %entry ], [ %next, %2 ]
  call void %f(i64 %i, i64 %i)
  %next = add i64 %i, 1
  %done = icmp eq i64 %next, %n
  br i1 %done, label %exit, label %loop.loop_crit_edge

loop.loop_crit_edge:                              ; preds = %loop
  %pending = load volatile i32, ptr inttoptr (i64 33554432 to ptr), align 4
  %0 = icmp ne i32 %pending, 0
  br i1 %0, label %1, label %2, !prof !0

1:                                                ; preds = %loop.loop_crit_edge
  call void @__mig_poll_slow() #1
  br label %2

2:                                                ; preds = %loop.loop_crit_edge, %1
  br label %loop

exit:                                             ; preds = %loop
  ret void
}

define i64 @length(ptr %s) #0 {
entry:
  br label %loop

loop:                                             ; preds = %loop, %entry
  %at = phi ptr [ %s, %entry ], [ %next, %loop ]
  %c = load i8, ptr %at, align 1
  %next = getelementptr i8, ptr %at, i64 1
  %done = icmp eq i8 %c, 0
  br i1 %done, label %exit, label %loop

exit:                                             ; preds = %loop
  %at.lcssa = phi ptr [ %at, %loop ]
  %end = ptrtoint ptr %at.lcssa to i64
  ret i64 %end
}

declare void @__mig_poll_slow()

attributes #0 = { "migrated-system" }
attributes #1 = { cold noinline }

!0 = !{!"branch_weights", i32 1, i32 1048575}
