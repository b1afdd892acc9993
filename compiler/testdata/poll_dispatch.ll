; passes: migrated-poll
; An interpreter polls as one more case of its dispatch.
define i32 @run(ptr %code, i32 %x) {
entry:
  br label %next
next:
  %pc = phi ptr [ %code, %entry ], [ %after, %back ]
  %acc = phi i32 [ %x, %entry ], [ %result, %back ]
  %op = load i8, ptr %pc
  %after = getelementptr i8, ptr %pc, i64 1
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
op1:
  %r1 = add i32 %acc, 1
  br label %back
op2:
  %r2 = mul i32 %acc, 3
  br label %back
op3:
  %r3 = xor i32 %acc, -1
  br label %back
op4:
  %r4 = shl i32 %acc, 1
  br label %back
op5:
  %r5 = lshr i32 %acc, 1
  br label %back
back:
  %result = phi i32 [ %acc, %next ], [ %r1, %op1 ], [ %r2, %op2 ], [ %r3, %op3 ], [ %r4, %op4 ], [ %r5, %op5 ]
  br label %next
exit:
  ret i32 %acc
}
