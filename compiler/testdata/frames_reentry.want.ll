@interp.reentry = internal global [48 x i8] zeroinitializer, align 16
@__mig_result = external global [256 x i8]
@__mig_resume_site = global i32 0
@__mig_sites = constant [3 x ptr] [ptr @interp.resume, ptr @interp.resume, ptr @main.resume], section ".rodata.mig.private", align 8
@__mig_site_count = constant i64 3, section ".rodata.mig.private", align 8
@__mig_record_max = constant i64 48, section ".rodata.mig.private", align 8

declare void @__mig_leave()

; Function Attrs: noinline uwtable
define internal i64 @interp(ptr %code, i64 %n, ptr %frames) #0 personality ptr @__mig_personality {
enter:
  %resume.site = load i32, ptr @__mig_resume_site, align 4
  %0 = icmp ne i32 %resume.site, 0
  br i1 %0, label %reenter, label %entry, !prof !0

entry:                                            ; preds = %enter
  %k = load i64, ptr %frames, align 4
  br label %outer

outer:                                            ; preds = %reenter, %.noexc2, %entry
  %scale39 = phi i64 [ %scale31, %reenter ], [ %scale40, %.noexc2 ], [ poison, %entry ]
  %k38 = phi i64 [ %k29, %reenter ], [ %k38, %.noexc2 ], [ %k, %entry ]
  %n37 = phi i64 [ %n28, %reenter ], [ %n37, %.noexc2 ], [ %n, %entry ]
  %acc3336 = phi i64 [ %acc33, %reenter ], [ %acc3336, %.noexc2 ], [ poison, %entry ]
  %pc3235 = phi ptr [ %pc32, %reenter ], [ %pc3235, %.noexc2 ], [ poison, %entry ]
  %reenter34 = phi i1 [ true, %reenter ], [ false, %.noexc2 ], [ false, %entry ]
  %pc0 = phi ptr [ %code, %entry ], [ %pcn3, %.noexc2 ], [ poison, %reenter ]
  %depth = phi i64 [ 0, %entry ], [ %depth1, %.noexc2 ], [ %depth30, %reenter ]
  br i1 %reenter34, label %head, label %outer.split, !prof !0

outer.split:                                      ; preds = %outer
  %scale = mul i64 %depth, %k38
  br label %head

head:                                             ; preds = %outer, %mul, %.noexc, %outer.split
  %scale40 = phi i64 [ %scale, %outer.split ], [ %scale40, %.noexc ], [ %scale40, %mul ], [ %scale39, %outer ]
  %pc = phi ptr [ %pc0, %outer.split ], [ %pc15, %.noexc ], [ %pc16, %mul ], [ %pc3235, %outer ]
  %acc = phi i64 [ %n37, %outer.split ], [ %acca, %.noexc ], [ %accm, %mul ], [ %acc3336, %outer ]
  br label %head.split

head.split:                                       ; preds = %head
  %op = load i8, ptr %pc, align 1
  switch i8 %op, label %exit [
    i8 1, label %add
    i8 2, label %mul
    i8 3, label %call
  ]

add:                                              ; preds = %head.split
  invoke void @__mig_leave()
          to label %.noexc unwind label %pad

.noexc:                                           ; preds = %add
  %pc15 = getelementptr i8, ptr %pc, i64 1
  %acca = add i64 %acc, %scale40
  br label %head

mul:                                              ; preds = %head.split
  %pc16 = getelementptr i8, ptr %pc, i64 1
  %accm = mul i64 %acc, 3
  br label %head

call:                                             ; preds = %head.split
  %depth1 = add i64 %depth, 1
  invoke void @__mig_leave()
          to label %.noexc2 unwind label %pad1

.noexc2:                                          ; preds = %call
  %pc14 = getelementptr i8, ptr %pc, i64 1
  %pcn3 = getelementptr i8, ptr %pc14, i64 2
  br label %outer

exit:                                             ; preds = %head.split
  ret i64 %acc

pad:                                              ; preds = %add
  %1 = landingpad { ptr, i32 }
          cleanup
  %2 = extractvalue { ptr, i32 } %1, 0
  br label %save22

pad1:                                             ; preds = %call
  %3 = landingpad { ptr, i32 }
          cleanup
  %4 = extractvalue { ptr, i32 } %3, 0
  br label %save25

save:                                             ; preds = %save7
  call void @__mig_saved(i32 %site15, i32 48)
  unreachable

save7:                                            ; preds = %save10
  store volatile i64 %n37, ptr %record14, align 16
  br label %save

save10:                                           ; preds = %save13
  %5 = getelementptr inbounds i8, ptr %record14, i64 8
  store volatile i64 %k38, ptr %5, align 8
  br label %save7

save13:                                           ; preds = %save25, %save16
  %record14 = phi ptr [ %2, %save16 ], [ %4, %save25 ]
  %site15 = phi i32 [ 0, %save16 ], [ 1, %save25 ]
  %6 = getelementptr inbounds i8, ptr %record14, i64 16
  store volatile ptr %pc, ptr %6, align 16
  br label %save10

save16:                                           ; preds = %save19
  %7 = getelementptr inbounds i8, ptr %2, i64 24
  store volatile i64 %depth, ptr %7, align 8
  br label %save13

save19:                                           ; preds = %save22
  %8 = getelementptr inbounds i8, ptr %2, i64 32
  store volatile i64 %scale40, ptr %8, align 16
  br label %save16

save22:                                           ; preds = %pad
  %9 = getelementptr inbounds i8, ptr %2, i64 40
  store volatile i64 %acc, ptr %9, align 8
  br label %save19

save25:                                           ; preds = %pad1
  %10 = getelementptr inbounds i8, ptr %4, i64 24
  store volatile i64 %depth1, ptr %10, align 8
  br label %save13

reenter:                                          ; preds = %enter
  store i32 0, ptr @__mig_resume_site, align 4
  %n28 = load volatile i64, ptr @interp.reentry, align 16
  %k29 = load volatile i64, ptr getelementptr inbounds (i8, ptr @interp.reentry, i64 8), align 8
  %depth30 = load volatile i64, ptr getelementptr inbounds (i8, ptr @interp.reentry, i64 16), align 16
  %scale31 = load volatile i64, ptr getelementptr inbounds (i8, ptr @interp.reentry, i64 24), align 8
  %pc32 = load volatile ptr, ptr getelementptr inbounds (i8, ptr @interp.reentry, i64 32), align 16
  %acc33 = load volatile i64, ptr getelementptr inbounds (i8, ptr @interp.reentry, i64 40), align 8
  br label %outer
}

; Function Attrs: uwtable
define i64 @main(ptr %a, i64 %b, ptr %c) #1 personality ptr @__mig_personality {
  %r1 = invoke i64 @interp(ptr %a, i64 %b, ptr %c)
          to label %r.noexc unwind label %pad

r.noexc:                                          ; preds = %0
  %s = add i64 %r1, 1
  ret i64 %s

pad:                                              ; preds = %0
  %1 = landingpad { ptr, i32 }
          cleanup
  %2 = extractvalue { ptr, i32 } %1, 0
  br label %save

save:                                             ; preds = %pad
  call void @__mig_saved(i32 2, i32 0)
  unreachable
}

declare i32 @__mig_personality(...)

; Function Attrs: cold noreturn
declare void @__mig_saved(i32, i32) #2

; Function Attrs: noinline uwtable
define internal void @interp.resume(ptr %record, i32 %site) #0 section ".text.resume.interp" personality ptr @__mig_personality {
resume:
  %n = load volatile i64, ptr %record, align 16
  %0 = getelementptr inbounds i8, ptr %record, i64 8
  %k1 = load volatile i64, ptr %0, align 8
  %1 = getelementptr inbounds i8, ptr %record, i64 24
  %depth12 = load volatile i64, ptr %1, align 8
  switch i32 %site, label %nosite [
    i32 0, label %restore
    i32 1, label %restore7
  ]

outer:                                            ; preds = %.noexc2
  %pc0 = phi ptr [ %pcn3, %.noexc2 ]
  %depth = phi i64 [ %depth12, %.noexc2 ]
  br label %outer.split

outer.split:                                      ; preds = %outer
  %scale = mul i64 %depth, %k1
  br label %head

head:                                             ; preds = %.noexc, %outer.split
  %scale10 = phi i64 [ %scale, %outer.split ], [ %scale4, %.noexc ]
  %depth9 = phi i64 [ %depth, %outer.split ], [ %depth3, %.noexc ]
  %pc = phi ptr [ %pc0, %outer.split ], [ %pc15, %.noexc ]
  %acc = phi i64 [ %n, %outer.split ], [ %acca, %.noexc ]
  store volatile i64 %n, ptr @interp.reentry, align 16
  store volatile i64 %k1, ptr getelementptr inbounds (i8, ptr @interp.reentry, i64 8), align 8
  store volatile i64 %depth9, ptr getelementptr inbounds (i8, ptr @interp.reentry, i64 16), align 16
  store volatile i64 %scale10, ptr getelementptr inbounds (i8, ptr @interp.reentry, i64 24), align 8
  store volatile ptr %pc, ptr getelementptr inbounds (i8, ptr @interp.reentry, i64 32), align 16
  store volatile i64 %acc, ptr getelementptr inbounds (i8, ptr @interp.reentry, i64 40), align 8
  store i32 1, ptr @__mig_resume_site, align 4
  %2 = call i64 @interp(ptr poison, i64 poison, ptr poison)
  store volatile i64 %2, ptr @__mig_result, align 16
  ret void

.noexc:                                           ; preds = %restore
  %pc15 = getelementptr i8, ptr %pc5, i64 1
  %acca = add i64 %acc6, %scale4
  br label %head

.noexc2:                                          ; preds = %restore7
  %pc14 = getelementptr i8, ptr %pc8, i64 1
  %pcn3 = getelementptr i8, ptr %pc14, i64 2
  br label %outer

nosite:                                           ; preds = %resume
  unreachable

restore:                                          ; preds = %resume
  %3 = getelementptr inbounds i8, ptr %record, i64 24
  %depth3 = load volatile i64, ptr %3, align 8
  %4 = getelementptr inbounds i8, ptr %record, i64 32
  %scale4 = load volatile i64, ptr %4, align 16
  %5 = getelementptr inbounds i8, ptr %record, i64 16
  %pc5 = load volatile ptr, ptr %5, align 16
  %6 = getelementptr inbounds i8, ptr %record, i64 40
  %acc6 = load volatile i64, ptr %6, align 8
  br label %.noexc

restore7:                                         ; preds = %resume
  %7 = getelementptr inbounds i8, ptr %record, i64 16
  %pc8 = load volatile ptr, ptr %7, align 16
  br label %.noexc2
}

; Function Attrs: noinline uwtable
define internal void @main.resume(ptr %record, i32 %site) #3 section ".text.resume.main" personality ptr @__mig_personality {
resume:
  switch i32 %site, label %nosite [
    i32 2, label %restore
  ]

r.noexc:                                          ; preds = %restore
  %s = add i64 %r11, 1
  store volatile i64 %s, ptr @__mig_result, align 16
  ret void

nosite:                                           ; preds = %resume
  unreachable

restore:                                          ; preds = %resume
  %r11 = load volatile i64, ptr @__mig_result, align 16
  br label %r.noexc
}

attributes #0 = { noinline uwtable "migrated-interpreter" }
attributes #1 = { uwtable }
attributes #2 = { cold noreturn }
attributes #3 = { noinline uwtable }

!0 = !{!"branch_weights", i32 1, i32 1048575}
