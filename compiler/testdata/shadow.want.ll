@outermost = global ptr null
@__mig_ssp = external global ptr
@__mig_ssp_limit = external global ptr

declare void @__mig_leave()

declare void @use(ptr)

; Function Attrs: nocallback nofree nosync nounwind willreturn
declare ptr @llvm.stacksave.p0() #0

; Function Attrs: nocallback nofree nosync nounwind willreturn
declare void @llvm.stackrestore.p0(ptr) #0

; Function Attrs: nocallback nofree nosync nounwind willreturn memory(argmem: readwrite)
declare void @llvm.lifetime.start.p0(i64 immarg, ptr nocapture) #1

; Function Attrs: nocallback nofree nosync nounwind willreturn memory(argmem: readwrite)
declare void @llvm.lifetime.end.p0(i64 immarg, ptr nocapture) #1

define i32 @fixed() {
  %shadow.caller = load ptr, ptr @__mig_ssp, align 8
  %shadow.frame = getelementptr inbounds i8, ptr %shadow.caller, i64 -48
  store ptr %shadow.frame, ptr @__mig_ssp, align 8
  %b = getelementptr inbounds i8, ptr %shadow.frame, i64 8
  call void @use(ptr %shadow.frame)
  call void @use(ptr %b)
  call void @__mig_leave()
  %r = load i32, ptr %shadow.frame, align 4
  %1 = getelementptr inbounds i8, ptr %shadow.frame, i64 48
  store ptr %1, ptr @__mig_ssp, align 8
  ret i32 %r
}

define void @overaligned() {
  %shadow.caller = load ptr, ptr @__mig_ssp, align 8
  %shadow.frame = getelementptr inbounds i8, ptr %shadow.caller, i64 -16
  %1 = call ptr @llvm.ptrmask.p0.i64(ptr %shadow.frame, i64 -64)
  store ptr %1, ptr @__mig_ssp, align 8
  call void @use(ptr %1)
  call void @__mig_leave()
  store ptr %shadow.caller, ptr @__mig_ssp, align 8
  ret void
}

define void @dynamic(i32 %n) {
entry:
  %shadow.caller = load ptr, ptr @__mig_ssp, align 8
  %shadow.frame = getelementptr inbounds i8, ptr %shadow.caller, i64 0
  store ptr %shadow.frame, ptr @__mig_ssp, align 8
  br label %loop

loop:                                             ; preds = %9, %entry
  %i = phi i32 [ 0, %entry ], [ %next, %9 ]
  %0 = load ptr, ptr @__mig_ssp, align 8
  %1 = zext i32 %n to i64
  %2 = mul i64 %1, 4
  %3 = add i64 %2, 15
  %4 = and i64 %3, -16
  %5 = load ptr, ptr @__mig_ssp, align 8
  %6 = sub i64 0, %4
  %a = getelementptr i8, ptr %5, i64 %6
  %7 = load ptr, ptr @__mig_ssp_limit, align 8
  %full = icmp slt ptr %a, %7
  br i1 %full, label %8, label %9, !prof !0

8:                                                ; preds = %loop
  call void @__mig_stack_overflow()
  unreachable

9:                                                ; preds = %loop
  store ptr %a, ptr @__mig_ssp, align 8
  call void @use(ptr %a)
  call void @__mig_leave()
  store ptr %0, ptr @__mig_ssp, align 8
  %next = add i32 %i, 1
  %done = icmp eq i32 %next, %n
  br i1 %done, label %exit, label %loop

exit:                                             ; preds = %9
  %10 = getelementptr inbounds i8, ptr %shadow.frame, i64 0
  store ptr %10, ptr @__mig_ssp, align 8
  ret void
}

define void @native() {
  %a = alloca i32, align 4
  call void @use(ptr %a)
  ret void
}

define void @large() {
  %shadow.caller = load ptr, ptr @__mig_ssp, align 8
  %shadow.frame = getelementptr inbounds i8, ptr %shadow.caller, i64 -1024
  %1 = load ptr, ptr @__mig_ssp_limit, align 8
  %full = icmp slt ptr %shadow.frame, %1
  br i1 %full, label %2, label %3, !prof !0

2:                                                ; preds = %0
  call void @__mig_stack_overflow()
  unreachable

3:                                                ; preds = %0
  store ptr %shadow.frame, ptr @__mig_ssp, align 8
  call void @use(ptr %shadow.frame)
  call void @__mig_leave()
  %4 = getelementptr inbounds i8, ptr %shadow.frame, i64 1024
  store ptr %4, ptr @__mig_ssp, align 8
  ret void
}

define i64 @distance() {
  %shadow.caller = load ptr, ptr @__mig_ssp, align 8
  %shadow.frame = getelementptr inbounds i8, ptr %shadow.caller, i64 -16
  store ptr %shadow.frame, ptr @__mig_ssp, align 8
  %top = load ptr, ptr @outermost, align 8
  %top.number = ptrtoint ptr %top to i64
  %here.number = ptrtoint ptr %shadow.frame to i64
  %r = sub i64 %top.number, %here.number
  %1 = getelementptr inbounds i8, ptr %shadow.frame, i64 16
  store ptr %1, ptr @__mig_ssp, align 8
  ret i64 %r
}

define i1 @below(ptr %caller) {
  %shadow.caller = load ptr, ptr @__mig_ssp, align 8
  %shadow.frame = getelementptr inbounds i8, ptr %shadow.caller, i64 -16
  store ptr %shadow.frame, ptr @__mig_ssp, align 8
  %r = icmp ult ptr %shadow.frame, %caller
  %1 = getelementptr inbounds i8, ptr %shadow.frame, i64 16
  store ptr %1, ptr @__mig_ssp, align 8
  ret i1 %r
}

define i64 @within(i8 %n) {
entry:
  %a = alloca [20 x i8], align 1
  %end = getelementptr i8, ptr %a, i64 20
  br label %loop

loop:                                             ; preds = %again, %entry
  %p = phi ptr [ %end, %entry ], [ %next, %again ]
  %done = icmp eq ptr %p, %a
  br i1 %done, label %exit, label %again

again:                                            ; preds = %loop
  %next = getelementptr i8, ptr %p, i64 -1
  store i8 %n, ptr %next, align 1
  br label %loop

exit:                                             ; preds = %loop
  %end.number = ptrtoint ptr %end to i64
  %p.number = ptrtoint ptr %p to i64
  %r = sub i64 %end.number, %p.number
  ret i64 %r
}

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare ptr @llvm.ptrmask.p0.i64(ptr, i64) #2

; Function Attrs: cold noreturn nounwind
declare void @__mig_stack_overflow() #3

attributes #0 = { nocallback nofree nosync nounwind willreturn }
attributes #1 = { nocallback nofree nosync nounwind willreturn memory(argmem: readwrite) }
attributes #2 = { nocallback nofree nosync nounwind speculatable willreturn memory(none) }
attributes #3 = { cold noreturn nounwind }

!0 = !{!"branch_weights", i32 1, i32 1048575}
