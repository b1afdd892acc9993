@__mig_ssp = external global ptr
@__mig_fid = global i64 0
@__mig_result = external global [256 x i8]
@__mig_sites = constant [2 x ptr] [ptr @catches.resume, ptr @catches.resume], section ".rodata.mig.private", align 8
@__mig_site_count = constant i64 2, section ".rodata.mig.private", align 8
@__mig_record_max = constant i64 20, section ".rodata.mig.private", align 8

; Function Attrs: nounwind returns_twice
declare i32 @__mig_setjmp(ptr, i64, i32, ptr) #0

declare void @__mig_leave()

; Function Attrs: uwtable
define i32 @catches(ptr %buffer) #1 personality ptr @__mig_personality {
  %caller = load ptr, ptr @__mig_ssp, align 8
  %frame = getelementptr inbounds i8, ptr %caller, i64 -256
  store ptr %frame, ptr @__mig_ssp, align 8
  %count = load i64, ptr @__mig_fid, align 4
  %fid = add i64 %count, 1
  store i64 %fid, ptr @__mig_fid, align 4
  %r = call i32 @__mig_setjmp(ptr %buffer, i64 %fid, i32 1, ptr %frame) #4
  br label %.split

.split:                                           ; preds = %0
  %again = icmp ne i32 %r, 0
  br i1 %again, label %exit, label %first

first:                                            ; preds = %.split
  invoke void @__mig_leave()
          to label %.noexc unwind label %pad

.noexc:                                           ; preds = %first
  br label %exit

exit:                                             ; preds = %.noexc, %.split
  %frame1 = getelementptr inbounds i8, ptr %caller, i64 -256
  %top = getelementptr inbounds i8, ptr %frame1, i64 256
  store ptr %top, ptr @__mig_ssp, align 8
  ret i32 %r

pad:                                              ; preds = %first
  %1 = landingpad { ptr, i32 }
          cleanup
  %2 = extractvalue { ptr, i32 } %1, 0
  br label %save8

save:                                             ; preds = %save2
  call void @__mig_saved(i32 0, i32 20)
  unreachable

save2:                                            ; preds = %save5
  store volatile i64 %fid, ptr %2, align 16
  br label %save

save5:                                            ; preds = %save8
  %3 = getelementptr inbounds i8, ptr %2, i64 8
  store volatile ptr %caller, ptr %3, align 8
  br label %save2

save8:                                            ; preds = %pad
  %4 = getelementptr inbounds i8, ptr %2, i64 16
  store volatile i32 %r, ptr %4, align 16
  br label %save5
}

declare i32 @__mig_personality(...)

; Function Attrs: cold noreturn
declare void @__mig_saved(i32, i32) #2

; Function Attrs: noinline uwtable
define internal void @catches.resume(ptr %record, i32 %site) #3 section ".text.resume.catches" personality ptr @__mig_personality {
resume:
  %fid1 = load volatile i64, ptr %record, align 16
  %0 = getelementptr inbounds i8, ptr %record, i64 8
  %caller2 = load volatile ptr, ptr %0, align 8
  %1 = getelementptr inbounds i8, ptr %caller2, i64 -256
  %2 = call i32 @__mig_setjmp(ptr %1, i64 %fid1, i32 1, ptr %1) #4
  %3 = icmp ne i32 %2, 0
  br i1 %3, label %jumped, label %armed

.split:                                           ; preds = %restore4, %jumped
  %r = phi i32 [ %r5, %restore4 ], [ %2, %jumped ]
  %again = icmp ne i32 %r, 0
  br i1 %again, label %exit, label %first

first:                                            ; preds = %.split
  invoke void @__mig_leave()
          to label %.noexc unwind label %pad

.noexc:                                           ; preds = %restore, %first
  %r7 = phi i32 [ %r3, %restore ], [ %r, %first ]
  br label %exit

exit:                                             ; preds = %.noexc, %.split
  %r6 = phi i32 [ %r7, %.noexc ], [ %r, %.split ]
  %frame1 = getelementptr inbounds i8, ptr %caller2, i64 -256
  %top = getelementptr inbounds i8, ptr %frame1, i64 256
  store ptr %top, ptr @__mig_ssp, align 8
  store volatile i32 %r6, ptr @__mig_result, align 16
  ret void

pad:                                              ; preds = %first
  %4 = landingpad { ptr, i32 }
          cleanup
  %5 = extractvalue { ptr, i32 } %4, 0
  br label %save8

save:                                             ; preds = %save2
  call void @__mig_saved(i32 0, i32 20)
  unreachable

save2:                                            ; preds = %save5
  store volatile i64 %fid1, ptr %5, align 16
  br label %save

save5:                                            ; preds = %save8
  %6 = getelementptr inbounds i8, ptr %5, i64 8
  store volatile ptr %caller2, ptr %6, align 8
  br label %save2

save8:                                            ; preds = %pad
  %7 = getelementptr inbounds i8, ptr %5, i64 16
  store volatile i32 %r, ptr %7, align 16
  br label %save5

jumped:                                           ; preds = %resume
  br label %.split

armed:                                            ; preds = %resume
  switch i32 %site, label %nosite [
    i32 0, label %restore
    i32 1, label %restore4
  ]

nosite:                                           ; preds = %armed
  unreachable

restore:                                          ; preds = %armed
  %8 = getelementptr inbounds i8, ptr %record, i64 16
  %r3 = load volatile i32, ptr %8, align 16
  br label %.noexc

restore4:                                         ; preds = %armed
  %r5 = load volatile i32, ptr @__mig_result, align 16
  br label %.split
}

attributes #0 = { nounwind returns_twice }
attributes #1 = { uwtable }
attributes #2 = { cold noreturn }
attributes #3 = { noinline uwtable }
attributes #4 = { returns_twice }
