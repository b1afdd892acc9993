@__mig_fid = global i64 0
@__mig_ssp = external global ptr

; Function Attrs: returns_twice
declare i32 @setjmp(ptr) #0

; Function Attrs: noreturn
declare void @longjmp(ptr, i32) #1

declare void @__mig_leave()

define i32 @moves(ptr %buffer, i32 %x) {
entry:
  %0 = load i64, ptr @__mig_fid, align 8
  %fid = add i64 %0, 1
  store i64 %fid, ptr @__mig_fid, align 8
  %setjmp.slot = alloca [32 x i64], align 16
  %setjmp.ssp = alloca ptr, align 8
  %y = add i32 %x, 1
  %1 = load ptr, ptr @__mig_ssp, align 8
  store ptr %1, ptr %setjmp.ssp, align 8
  %r = call i32 @__mig_setjmp(ptr %buffer, i64 %fid, i32 0, ptr %setjmp.slot) #0
  br label %entry.split

entry.split:                                      ; preds = %entry
  %2 = load ptr, ptr %setjmp.ssp, align 8
  store ptr %2, ptr @__mig_ssp, align 8
  br label %entry.split.split

entry.split.split:                                ; preds = %entry.split
  %again = icmp ne i32 %r, 0
  br i1 %again, label %join, label %first

first:                                            ; preds = %entry.split.split
  call void @__mig_leave()
  br label %join

join:                                             ; preds = %first, %entry.split.split
  %p = phi i32 [ %y, %entry.split.split ], [ %x, %first ]
  %sum = add i32 %p, %r
  ret i32 %sum
}

define i32 @stays(ptr %buffer, i32 %x) {
  %r = call i32 @__mig_setjmp(ptr %buffer, i64 0, i32 0, ptr null) #0
  %sum = add i32 %x, %r
  ret i32 %sum
}

define void @jump(ptr %buffer) {
  call void @__mig_longjmp(ptr %buffer, i32 2) #1
  unreachable
}

define i32 @loops(ptr %buffer, ptr %code) {
entry:
  %0 = load i64, ptr @__mig_fid, align 8
  %fid = add i64 %0, 1
  store i64 %fid, ptr @__mig_fid, align 8
  %setjmp.slot = alloca [32 x i64], align 16
  %setjmp.ssp = alloca ptr, align 8
  %pc.kept = alloca i32, align 4
  %next.kept = alloca i32, align 4
  %start = load i32, ptr %code, align 4
  br label %loop

loop:                                             ; preds = %back, %entry
  %pc = phi i32 [ %start, %entry ], [ %next4, %back ]
  %next = add i32 %pc, 1
  %at = getelementptr i8, ptr %code, i64 8
  %op = load i32, ptr %at, align 4
  %try = icmp eq i32 %op, 1
  br i1 %try, label %set, label %run

set:                                              ; preds = %loop
  store i32 %pc, ptr %pc.kept, align 4
  store i32 %next, ptr %next.kept, align 4
  %1 = load ptr, ptr @__mig_ssp, align 8
  store ptr %1, ptr %setjmp.ssp, align 8
  %r = call i32 @__mig_setjmp(ptr %buffer, i64 %fid, i32 0, ptr %setjmp.slot) #0
  br label %set.split

set.split:                                        ; preds = %set
  %2 = load ptr, ptr %setjmp.ssp, align 8
  store ptr %2, ptr @__mig_ssp, align 8
  %pc2 = load i32, ptr %pc.kept, align 4
  %next3 = load i32, ptr %next.kept, align 4
  br label %set.split.split

set.split.split:                                  ; preds = %set.split
  %thrown = icmp ne i32 %r, 0
  br i1 %thrown, label %done, label %back

run:                                              ; preds = %loop
  call void @__mig_leave()
  br label %back

back:                                             ; preds = %run, %set.split.split
  %next4 = phi i32 [ %next, %run ], [ %next3, %set.split.split ]
  %end = icmp eq i32 %next4, %start
  br i1 %end, label %done, label %loop

done:                                             ; preds = %back, %set.split.split
  %sum = phi i32 [ %pc2, %set.split.split ], [ %next4, %back ]
  %at1 = getelementptr i8, ptr %code, i64 8
  %field = load i32, ptr %at1, align 4
  %all = add i32 %sum, %field
  ret i32 %all
}

; Function Attrs: noreturn
declare void @__mig_longjmp(ptr, i32) #1

; Function Attrs: nounwind returns_twice
declare i32 @__mig_setjmp(ptr, i64, i32, ptr) #2

attributes #0 = { returns_twice }
attributes #1 = { noreturn }
attributes #2 = { nounwind returns_twice }
