; passes: migrated-frames -migrated-clones=1000
; A hot function stays as it is but for its save pads: a clone resumes it. What is known before
; the loop is loaded on entry; what changes in it is merged.
declare void @__mig_leave()

define i64 @loop(i64 %n, i64 %step) {
entry:
  %start = mul i64 %step, 10
  br label %again
again:
  %i = phi i64 [ 0, %entry ], [ %next, %again ]
  %sum = phi i64 [ %start, %entry ], [ %more, %again ]
  call void @__mig_leave()
  %more = add i64 %sum, %step
  %next = add i64 %i, 1
  %done = icmp eq i64 %next, %n
  br i1 %done, label %exit, label %again
exit:
  %r = add i64 %more, %start
  ret i64 %r
}
