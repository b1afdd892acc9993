@__mig_resume_record = global ptr null
@__mig_resume_site = global i32 0
@__mig_result = external global [256 x i8]
@__mig_sites = constant [3 x ptr] [ptr @sum.resume, ptr @sum.resume, ptr @twice.resume], section ".rodata.mig.private", align 8
@__mig_site_count = constant i64 3, section ".rodata.mig.private", align 8
@__mig_record_max = constant i64 32, section ".rodata.mig.private", align 8

declare void @__mig_leave()

; Function Attrs: noinline uwtable
define i64 @sum(i64 %a, i1 %flag, { i64, i32 } %pair) #0 personality ptr @__mig_personality {
enter:
  %resume.site = load i32, ptr @__mig_resume_site, align 4
  %0 = icmp ne i32 %resume.site, 0
  br i1 %0, label %resume, label %1, !prof !0

1:                                                ; preds = %enter
  %b = mul i64 %a, 3
  invoke void @__mig_leave()
          to label %.noexc unwind label %pad

.noexc:                                           ; preds = %restore, %1
  %flag27 = phi i1 [ %19, %restore ], [ %flag, %1 ]
  %b26 = phi i64 [ %b18, %restore ], [ %b, %1 ]
  %a25 = phi i64 [ %a17, %restore ], [ %a, %1 ]
  %pair23 = phi { i64, i32 } [ %15, %restore ], [ %pair, %1 ]
  %c = select i1 %flag27, i64 %a25, i64 %b26
  %r2 = invoke i64 @twice(i64 %c)
          to label %r.noexc unwind label %pad1

r.noexc:                                          ; preds = %restore20, %.noexc
  %r228 = phi i64 [ %r221, %restore20 ], [ %r2, %.noexc ]
  %pair24 = phi { i64, i32 } [ %15, %restore20 ], [ %pair23, %.noexc ]
  %first = extractvalue { i64, i32 } %pair24, 0
  %s = add i64 %r228, %first
  ret i64 %s

pad:                                              ; preds = %1
  %2 = landingpad { ptr, i32 }
          cleanup
  %3 = extractvalue { ptr, i32 } %2, 0
  br label %save12

pad1:                                             ; preds = %.noexc
  %4 = landingpad { ptr, i32 }
          cleanup
  %5 = extractvalue { ptr, i32 } %4, 0
  br label %save3

save:                                             ; preds = %save3
  call void @__mig_saved(i32 %site5, i32 32)
  unreachable

save3:                                            ; preds = %save6, %pad1
  %pair22 = phi { i64, i32 } [ %pair23, %pad1 ], [ %pair, %save6 ]
  %record4 = phi ptr [ %5, %pad1 ], [ %3, %save6 ]
  %site5 = phi i32 [ 1, %pad1 ], [ 0, %save6 ]
  %6 = extractvalue { i64, i32 } %pair22, 0
  store volatile i64 %6, ptr %record4, align 16
  %7 = extractvalue { i64, i32 } %pair22, 1
  %8 = getelementptr inbounds i8, ptr %record4, i64 8
  store volatile i32 %7, ptr %8, align 8
  br label %save

save6:                                            ; preds = %save9
  %9 = getelementptr inbounds i8, ptr %3, i64 16
  store volatile i64 %a, ptr %9, align 16
  br label %save3

save9:                                            ; preds = %save12
  %10 = zext i1 %flag to i8
  %11 = getelementptr inbounds i8, ptr %3, i64 12
  store volatile i8 %10, ptr %11, align 4
  br label %save6

save12:                                           ; preds = %pad
  %12 = getelementptr inbounds i8, ptr %3, i64 24
  store volatile i64 %b, ptr %12, align 8
  br label %save9

resume:                                           ; preds = %enter
  %record = load ptr, ptr @__mig_resume_record, align 8
  store i32 0, ptr @__mig_resume_site, align 4
  %pair15 = load volatile i64, ptr %record, align 16
  %13 = insertvalue { i64, i32 } poison, i64 %pair15, 0
  %14 = getelementptr inbounds i8, ptr %record, i64 8
  %pair16 = load volatile i32, ptr %14, align 8
  %15 = insertvalue { i64, i32 } %13, i32 %pair16, 1
  %16 = getelementptr inbounds i8, ptr %record, i64 16
  %a17 = load volatile i64, ptr %16, align 16
  %17 = getelementptr inbounds i8, ptr %record, i64 24
  %b18 = load volatile i64, ptr %17, align 8
  %18 = getelementptr inbounds i8, ptr %record, i64 12
  %flag19 = load volatile i8, ptr %18, align 4
  %19 = trunc i8 %flag19 to i1
  switch i32 %resume.site, label %nosite [
    i32 1, label %restore
    i32 2, label %restore20
  ]

nosite:                                           ; preds = %resume
  unreachable

restore:                                          ; preds = %resume
  br label %.noexc

restore20:                                        ; preds = %resume
  %r221 = load volatile i64, ptr @__mig_result, align 16
  br label %r.noexc
}

; Function Attrs: noinline uwtable
define i64 @twice(i64 %a) #0 personality ptr @__mig_personality {
enter:
  %resume.site = load i32, ptr @__mig_resume_site, align 4
  %0 = icmp ne i32 %resume.site, 0
  br i1 %0, label %resume, label %1, !prof !0

1:                                                ; preds = %enter
  invoke void @__mig_leave()
          to label %.noexc unwind label %pad

.noexc:                                           ; preds = %restore, %1
  %a5 = phi i64 [ %a4, %restore ], [ %a, %1 ]
  %b = shl i64 %a5, 1
  ret i64 %b

pad:                                              ; preds = %1
  %2 = landingpad { ptr, i32 }
          cleanup
  %3 = extractvalue { ptr, i32 } %2, 0
  br label %save1

save:                                             ; preds = %save1
  call void @__mig_saved(i32 2, i32 8)
  unreachable

save1:                                            ; preds = %pad
  store volatile i64 %a, ptr %3, align 16
  br label %save

resume:                                           ; preds = %enter
  %record = load ptr, ptr @__mig_resume_record, align 8
  store i32 0, ptr @__mig_resume_site, align 4
  %a4 = load volatile i64, ptr %record, align 16
  switch i32 %resume.site, label %nosite [
    i32 3, label %restore
  ]

nosite:                                           ; preds = %resume
  unreachable

restore:                                          ; preds = %resume
  br label %.noexc
}

; Function Attrs: uwtable
define i64 @hands_on(i64 %a) #1 personality ptr @__mig_personality {
  %r = tail call i64 @sum(i64 %a, i1 true, { i64, i32 } zeroinitializer)
  ret i64 %r
}

declare i32 @__mig_personality(...)

; Function Attrs: cold noreturn
declare void @__mig_saved(i32, i32) #2

; Function Attrs: uwtable
define internal void @sum.resume(ptr %record, i32 %site) #1 section ".text.resume.sum" personality ptr @__mig_personality {
resume:
  store ptr %record, ptr @__mig_resume_record, align 8
  %0 = add i32 %site, 1
  store i32 %0, ptr @__mig_resume_site, align 4
  %1 = call i64 @sum(i64 poison, i1 poison, { i64, i32 } poison)
  store volatile i64 %1, ptr @__mig_result, align 16
  ret void
}

; Function Attrs: uwtable
define internal void @twice.resume(ptr %record, i32 %site) #1 section ".text.resume.twice" personality ptr @__mig_personality {
resume:
  store ptr %record, ptr @__mig_resume_record, align 8
  %0 = add i32 %site, 1
  store i32 %0, ptr @__mig_resume_site, align 4
  %1 = call i64 @twice(i64 poison)
  store volatile i64 %1, ptr @__mig_result, align 16
  ret void
}

attributes #0 = { noinline uwtable }
attributes #1 = { uwtable }
attributes #2 = { cold noreturn }

!0 = !{!"branch_weights", i32 1, i32 1048575}
