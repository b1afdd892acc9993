declare void @native()

define void @calls(i32 %n) {
entry:
  br label %loop

loop:                                             ; preds = %2, %entry
  %i = phi i32 [ 0, %entry ], [ %next, %2 ]
  call void @native()
  %next = add nsw i32 %i, 1
  %done = icmp eq i32 %next, %n
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

define i64 @counted(ptr %p, i64 %n) {
entry:
  %umax = call i64 @llvm.umax.i64(i64 %n, i64 1)
  %0 = add i64 %umax, -1
  br label %strip

strip:                                            ; preds = %7, %entry
  %i.strip = phi i64 [ 0, %entry ], [ %i.end, %7 ]
  %sum.strip = phi i64 [ 0, %entry ], [ %sum.end, %7 ]
  %left = phi i64 [ %0, %entry ], [ %left.next, %7 ]
  %1 = call i64 @llvm.umin.i64(i64 %left, i64 7)
  br label %loop

loop:                                             ; preds = %loop, %strip
  %strip.index = phi i64 [ 0, %strip ], [ %strip.index.next, %loop ]
  %i = phi i64 [ %i.strip, %strip ], [ %next, %loop ]
  %sum = phi i64 [ %sum.strip, %strip ], [ %more, %loop ]
  %at = getelementptr i64, ptr %p, i64 %i
  %v = load i64, ptr %at, align 4
  %more = add i64 %sum, %v
  %next = add nuw i64 %i, 1
  %strip.index.next = add nuw i64 %strip.index, 1
  %2 = icmp eq i64 %strip.index, %1
  br i1 %2, label %strip.end, label %loop

strip.end:                                        ; preds = %loop
  %i.end = phi i64 [ %next, %loop ]
  %sum.end = phi i64 [ %more, %loop ]
  %more.lcssa.end = phi i64 [ %more, %loop ]
  %3 = icmp eq i64 %left, %1
  br i1 %3, label %exit, label %strip.next, !prof !1

strip.next:                                       ; preds = %strip.end
  %4 = add i64 %1, 1
  %left.next = sub i64 %left, %4
  %pending = load volatile i32, ptr inttoptr (i64 33554432 to ptr), align 4
  %5 = icmp ne i32 %pending, 0
  br i1 %5, label %6, label %7, !prof !0

6:                                                ; preds = %strip.next
  call void @__mig_poll_slow() #1
  br label %7

7:                                                ; preds = %strip.next, %6
  br label %strip

exit:                                             ; preds = %strip.end
  %more.lcssa = phi i64 [ %more.lcssa.end, %strip.end ]
  ret i64 %more.lcssa
}

define i64 @unknown(ptr %p) {
entry:
  br label %loop

loop:                                             ; preds = %2, %entry
  %at = phi ptr [ %p, %entry ], [ %next, %2 ]
  %next = load ptr, ptr %at, align 8
  %done = icmp eq ptr %next, null
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
  %at.lcssa = phi ptr [ %at, %loop ]
  %last = ptrtoint ptr %at.lcssa to i64
  ret i64 %last
}

define void @short(ptr %p) {
entry:
  br label %loop

loop:                                             ; preds = %loop, %entry
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %at = getelementptr i8, ptr %p, i64 %i
  store i8 0, ptr %at, align 1
  %next = add i64 %i, 1
  %done = icmp eq i64 %next, 8
  br i1 %done, label %exit, label %loop

exit:                                             ; preds = %loop
  ret void
}

declare void @__mig_poll_slow()

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare i64 @llvm.umax.i64(i64, i64) #0

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare i64 @llvm.umin.i64(i64, i64) #0

attributes #0 = { nocallback nofree nosync nounwind speculatable willreturn memory(none) }
attributes #1 = { cold noinline }

!0 = !{!"branch_weights", i32 1, i32 1048575}
!1 = !{!"branch_weights", i32 1048575, i32 1}
