@__mig_resume_record = global ptr null
@__mig_resume_site = global i32 0
@__mig_result = external global [256 x i8]
@__mig_sites = constant [1 x ptr] [ptr @maybe.resume], section ".rodata.mig.private", align 8
@__mig_site_count = constant i64 1, section ".rodata.mig.private", align 8
@__mig_record_max = constant i64 9, section ".rodata.mig.private", align 8

declare void @__mig_leave()

; Function Attrs: noinline uwtable
define i64 @maybe(i1 %set, i64 %a) #0 personality ptr @__mig_personality {
enter:
  %resume.site = load i32, ptr @__mig_resume_site, align 4
  %0 = icmp ne i32 %resume.site, 0
  br i1 %0, label %resume, label %1, !prof !0

1:                                                ; preds = %enter
  br i1 %set, label %yes, label %no

yes:                                              ; preds = %1
  %double = shl i64 %a, 1
  br label %no

no:                                               ; preds = %yes, %1
  %x = phi i64 [ 0, %1 ], [ %double, %yes ]
  invoke void @__mig_leave()
          to label %.noexc unwind label %pad

.noexc:                                           ; preds = %restore, %no
  %set10 = phi i1 [ %7, %restore ], [ %set, %no ]
  %x9 = phi i64 [ %x7, %restore ], [ %x, %no ]
  %s = add i64 %x9, 0
  %r = select i1 %set10, i64 %s, i64 0
  ret i64 %r

pad:                                              ; preds = %no
  %2 = landingpad { ptr, i32 }
          cleanup
  %3 = extractvalue { ptr, i32 } %2, 0
  br label %save4

save:                                             ; preds = %save1
  call void @__mig_saved(i32 0, i32 9)
  unreachable

save1:                                            ; preds = %save4
  %4 = zext i1 %set to i8
  %5 = getelementptr inbounds i8, ptr %3, i64 8
  store volatile i8 %4, ptr %5, align 8
  br label %save

save4:                                            ; preds = %pad
  store volatile i64 %x, ptr %3, align 16
  br label %save1

resume:                                           ; preds = %enter
  %record = load ptr, ptr @__mig_resume_record, align 8
  store i32 0, ptr @__mig_resume_site, align 4
  %x7 = load volatile i64, ptr %record, align 16
  %6 = getelementptr inbounds i8, ptr %record, i64 8
  %set8 = load volatile i8, ptr %6, align 8
  %7 = trunc i8 %set8 to i1
  switch i32 %resume.site, label %nosite [
    i32 1, label %restore
  ]

nosite:                                           ; preds = %resume
  unreachable

restore:                                          ; preds = %resume
  br label %.noexc
}

declare i32 @__mig_personality(...)

; Function Attrs: cold noreturn
declare void @__mig_saved(i32, i32) #1

; Function Attrs: uwtable
define internal void @maybe.resume(ptr %record, i32 %site) #2 section ".text.resume.maybe" personality ptr @__mig_personality {
resume:
  store ptr %record, ptr @__mig_resume_record, align 8
  %0 = add i32 %site, 1
  store i32 %0, ptr @__mig_resume_site, align 4
  %1 = call i64 @maybe(i1 poison, i64 poison)
  store volatile i64 %1, ptr @__mig_result, align 16
  ret void
}

attributes #0 = { noinline uwtable }
attributes #1 = { cold noreturn }
attributes #2 = { uwtable }

!0 = !{!"branch_weights", i32 1, i32 1048575}
