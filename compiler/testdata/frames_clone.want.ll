@__mig_result = external global [256 x i8]
@__mig_sites = constant [1 x ptr] [ptr @loop.resume], section ".rodata.mig.private", align 8
@__mig_site_count = constant i64 1, section ".rodata.mig.private", align 8
@__mig_record_max = constant i64 40, section ".rodata.mig.private", align 8

declare void @__mig_leave()

; Function Attrs: uwtable
define i64 @loop(i64 %n, i64 %step) #0 personality ptr @__mig_personality {
entry:
  %start = mul i64 %step, 10
  br label %again

again:                                            ; preds = %.noexc, %entry
  %i = phi i64 [ 0, %entry ], [ %next, %.noexc ]
  %sum = phi i64 [ %start, %entry ], [ %more, %.noexc ]
  invoke void @__mig_leave()
          to label %.noexc unwind label %pad

.noexc:                                           ; preds = %again
  %more = add i64 %sum, %step
  %next = add i64 %i, 1
  %done = icmp eq i64 %next, %n
  br i1 %done, label %exit, label %again

exit:                                             ; preds = %.noexc
  %r = add i64 %more, %start
  ret i64 %r

pad:                                              ; preds = %again
  %0 = landingpad { ptr, i32 }
          cleanup
  %1 = extractvalue { ptr, i32 } %0, 0
  br label %save13

save:                                             ; preds = %save1
  call void @__mig_saved(i32 0, i32 40)
  unreachable

save1:                                            ; preds = %save4
  store volatile i64 %n, ptr %1, align 16
  br label %save

save4:                                            ; preds = %save7
  %2 = getelementptr inbounds i8, ptr %1, i64 8
  store volatile i64 %step, ptr %2, align 8
  br label %save1

save7:                                            ; preds = %save10
  %3 = getelementptr inbounds i8, ptr %1, i64 16
  store volatile i64 %start, ptr %3, align 16
  br label %save4

save10:                                           ; preds = %save13
  %4 = getelementptr inbounds i8, ptr %1, i64 24
  store volatile i64 %i, ptr %4, align 8
  br label %save7

save13:                                           ; preds = %pad
  %5 = getelementptr inbounds i8, ptr %1, i64 32
  store volatile i64 %sum, ptr %5, align 16
  br label %save10
}

declare i32 @__mig_personality(...)

; Function Attrs: cold noreturn
declare void @__mig_saved(i32, i32) #1

; Function Attrs: noinline uwtable
define internal void @loop.resume(ptr %record, i32 %site) #2 section ".text.resume.loop" personality ptr @__mig_personality {
resume:
  %n = load volatile i64, ptr %record, align 16
  %0 = getelementptr inbounds i8, ptr %record, i64 8
  %step = load volatile i64, ptr %0, align 8
  %1 = getelementptr inbounds i8, ptr %record, i64 16
  %start1 = load volatile i64, ptr %1, align 16
  switch i32 %site, label %nosite [
    i32 0, label %restore
  ]

again:                                            ; preds = %.noexc
  %i = phi i64 [ %next, %.noexc ]
  %sum = phi i64 [ %more, %.noexc ]
  invoke void @__mig_leave()
          to label %.noexc unwind label %pad

.noexc:                                           ; preds = %restore, %again
  %sum5 = phi i64 [ %sum3, %restore ], [ %sum, %again ]
  %i4 = phi i64 [ %i2, %restore ], [ %i, %again ]
  %more = add i64 %sum5, %step
  %next = add i64 %i4, 1
  %done = icmp eq i64 %next, %n
  br i1 %done, label %exit, label %again

exit:                                             ; preds = %.noexc
  %r = add i64 %more, %start1
  store volatile i64 %r, ptr @__mig_result, align 16
  ret void

pad:                                              ; preds = %again
  %2 = landingpad { ptr, i32 }
          cleanup
  %3 = extractvalue { ptr, i32 } %2, 0
  br label %save13

save:                                             ; preds = %save1
  call void @__mig_saved(i32 0, i32 40)
  unreachable

save1:                                            ; preds = %save4
  store volatile i64 %n, ptr %3, align 16
  br label %save

save4:                                            ; preds = %save7
  %4 = getelementptr inbounds i8, ptr %3, i64 8
  store volatile i64 %step, ptr %4, align 8
  br label %save1

save7:                                            ; preds = %save10
  %5 = getelementptr inbounds i8, ptr %3, i64 16
  store volatile i64 %start1, ptr %5, align 16
  br label %save4

save10:                                           ; preds = %save13
  %6 = getelementptr inbounds i8, ptr %3, i64 24
  store volatile i64 %i, ptr %6, align 8
  br label %save7

save13:                                           ; preds = %pad
  %7 = getelementptr inbounds i8, ptr %3, i64 32
  store volatile i64 %sum, ptr %7, align 16
  br label %save10

nosite:                                           ; preds = %resume
  unreachable

restore:                                          ; preds = %resume
  %8 = getelementptr inbounds i8, ptr %record, i64 24
  %i2 = load volatile i64, ptr %8, align 8
  %9 = getelementptr inbounds i8, ptr %record, i64 32
  %sum3 = load volatile i64, ptr %9, align 16
  br label %.noexc
}

attributes #0 = { uwtable }
attributes #1 = { cold noreturn }
attributes #2 = { noinline uwtable }
