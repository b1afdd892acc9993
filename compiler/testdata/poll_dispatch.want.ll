define i32 @run(ptr %code, i32 %x) {
entry:
  br label %next

next:                                             ; preds = %back, %entry
  %pc = phi ptr [ %code, %entry ], [ %after, %back ]
  %acc = phi i32 [ %x, %entry ], [ %result, %back ]
  %op = load i8, ptr %pc, align 1
  %after = getelementptr i8, ptr %pc, i64 1
  %pending = load volatile i32, ptr inttoptr (i64 33554432 to ptr), align 4
  %0 = icmp ne i32 %pending, 0
  %1 = select i1 %0, i8 8, i8 %op
  switch i8 %1, label %exit [
    i8 0, label %back
    i8 1, label %op1
    i8 2, label %op2
    i8 3, label %op3
    i8 4, label %op4
    i8 5, label %op5
    i8 6, label %op5
    i8 7, label %op1
    i8 8, label %poll
  ], !prof !0

op1:                                              ; preds = %next, %next, %poll, %poll
  %r1 = add i32 %acc, 1
  br label %back

op2:                                              ; preds = %next, %poll
  %r2 = mul i32 %acc, 3
  br label %back

op3:                                              ; preds = %next, %poll
  %r3 = xor i32 %acc, -1
  br label %back

op4:                                              ; preds = %next, %poll
  %r4 = shl i32 %acc, 1
  br label %back

op5:                                              ; preds = %next, %next, %poll, %poll
  %r5 = lshr i32 %acc, 1
  br label %back

back:                                             ; preds = %next, %poll, %op5, %op4, %op3, %op2, %op1
  %result = phi i32 [ %acc, %next ], [ %r1, %op1 ], [ %r2, %op2 ], [ %r3, %op3 ], [ %r4, %op4 ], [ %r5, %op5 ], [ %acc, %poll ]
  br label %next

exit:                                             ; preds = %next, %poll
  %acc.lcssa = phi i32 [ %acc, %next ], [ %acc, %poll ]
  ret i32 %acc.lcssa

poll:                                             ; preds = %next
  call void @__mig_poll_slow() #0
  switch i8 %op, label %exit [
    i8 0, label %back
    i8 1, label %op1
    i8 2, label %op2
    i8 3, label %op3
    i8 4, label %op4
    i8 5, label %op5
    i8 6, label %op5
    i8 7, label %op1
  ]
}

declare void @__mig_poll_slow()

attributes #0 = { cold noinline }

!0 = !{!"branch_weights", i32 4096, i32 4096, i32 4096, i32 4096, i32 4096, i32 4096, i32 4096, i32 4096, i32 4096, i32 1}
