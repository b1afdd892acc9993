define i32 @fib(i32 %n) {
entry:
  %base = icmp ult i32 %n, 2
  br i1 %base, label %exit, label %loop.preheader

loop.preheader:                                   ; preds = %entry
  br label %loop

loop:                                             ; preds = %loop.preheader, %5
  %m = phi i32 [ %less, %5 ], [ %n, %loop.preheader ]
  %sum = phi i32 [ %more, %5 ], [ 0, %loop.preheader ]
  %pending1 = load volatile i32, ptr inttoptr (i64 33554432 to ptr), align 4
  %0 = icmp ne i32 %pending1, 0
  br i1 %0, label %1, label %2, !prof !0

1:                                                ; preds = %loop
  call void @__mig_poll_slow() #2
  br label %2

2:                                                ; preds = %loop, %1
  %one = sub i32 %m, 1
  %r = call i32 @fib(i32 %one)
  %pending = load volatile i32, ptr inttoptr (i64 33554432 to ptr), align 4
  %3 = icmp ne i32 %pending, 0
  br i1 %3, label %4, label %5, !prof !0

4:                                                ; preds = %2
  call void @__mig_poll_slow() #2
  br label %5

5:                                                ; preds = %2, %4
  %more = add i32 %sum, %r
  %less = sub i32 %m, 2
  %done = icmp ult i32 %less, 2
  br i1 %done, label %exit.loopexit, label %loop

exit.loopexit:                                    ; preds = %5
  %more.lcssa = phi i32 [ %more, %5 ]
  %less.lcssa = phi i32 [ %less, %5 ]
  br label %exit

exit:                                             ; preds = %exit.loopexit, %entry
  %last = phi i32 [ %n, %entry ], [ %less.lcssa, %exit.loopexit ]
  %before = phi i32 [ 0, %entry ], [ %more.lcssa, %exit.loopexit ]
  %all = add i32 %last, %before
  ret i32 %all
}

define i32 @depth(ptr %tree) {
entry:
  %empty = icmp eq ptr %tree, null
  br i1 %empty, label %exit, label %inner

inner:                                            ; preds = %entry
  %pending2 = load volatile i32, ptr inttoptr (i64 33554432 to ptr), align 4
  %0 = icmp ne i32 %pending2, 0
  br i1 %0, label %1, label %2, !prof !0

1:                                                ; preds = %inner
  call void @__mig_poll_slow() #2
  br label %2

2:                                                ; preds = %inner, %1
  %left = load ptr, ptr %tree, align 8
  %a = call i32 @depth(ptr %left)
  %pending = load volatile i32, ptr inttoptr (i64 33554432 to ptr), align 4
  %3 = icmp ne i32 %pending, 0
  br i1 %3, label %4, label %5, !prof !0

4:                                                ; preds = %2
  call void @__mig_poll_slow() #2
  br label %5

5:                                                ; preds = %2, %4
  %at = getelementptr i8, ptr %tree, i64 8
  %right = load ptr, ptr %at, align 8
  %b = call i32 @depth(ptr %right)
  %pending1 = load volatile i32, ptr inttoptr (i64 33554432 to ptr), align 4
  %6 = icmp ne i32 %pending1, 0
  br i1 %6, label %7, label %8, !prof !0

7:                                                ; preds = %5
  call void @__mig_poll_slow() #2
  br label %8

8:                                                ; preds = %5, %7
  %most = call i32 @llvm.umax.i32(i32 %a, i32 %b)
  %d = add i32 %most, 1
  br label %exit

exit:                                             ; preds = %8, %entry
  %r = phi i32 [ 0, %entry ], [ %d, %8 ]
  ret i32 %r
}

; Function Attrs: noinline
define void @mix(ptr %state, i64 %with) #0 {
  %old = load i64, ptr %state, align 4
  %new = xor i64 %old, %with
  store i64 %new, ptr %state, align 4
  ret void
}

define void @hash(ptr %state, i64 %n) {
entry:
  %0 = add i64 %n, -1
  br label %strip

strip:                                            ; preds = %7, %entry
  %i.strip = phi i64 [ 0, %entry ], [ %i.end, %7 ]
  %left = phi i64 [ %0, %entry ], [ %left.next, %7 ]
  %1 = call i64 @llvm.umin.i64(i64 %left, i64 2047)
  br label %loop

loop:                                             ; preds = %loop, %strip
  %strip.index = phi i64 [ 0, %strip ], [ %strip.index.next, %loop ]
  %i = phi i64 [ %i.strip, %strip ], [ %next, %loop ]
  call void @mix(ptr %state, i64 %i)
  %next = add i64 %i, 1
  %strip.index.next = add nuw i64 %strip.index, 1
  %2 = icmp eq i64 %strip.index, %1
  br i1 %2, label %strip.end, label %loop

strip.end:                                        ; preds = %loop
  %i.end = phi i64 [ %next, %loop ]
  %3 = icmp eq i64 %left, %1
  br i1 %3, label %exit, label %strip.next, !prof !1

strip.next:                                       ; preds = %strip.end
  %4 = add i64 %1, 1
  %left.next = sub i64 %left, %4
  %pending = load volatile i32, ptr inttoptr (i64 33554432 to ptr), align 4
  %5 = icmp ne i32 %pending, 0
  br i1 %5, label %6, label %7, !prof !0

6:                                                ; preds = %strip.next
  call void @__mig_poll_slow() #2
  br label %7

7:                                                ; preds = %strip.next, %6
  br label %strip

exit:                                             ; preds = %strip.end
  ret void
}

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare i32 @llvm.umax.i32(i32, i32) #1

declare void @__mig_poll_slow()

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare i64 @llvm.umin.i64(i64, i64) #1

attributes #0 = { noinline }
attributes #1 = { nocallback nofree nosync nounwind speculatable willreturn memory(none) }
attributes #2 = { cold noinline }

!0 = !{!"branch_weights", i32 1, i32 1048575}
!1 = !{!"branch_weights", i32 1048575, i32 1}
