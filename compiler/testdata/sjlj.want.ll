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
  %y.reg2mem = alloca i32, align 4
  %x.reg2mem = alloca i32, align 4
  store i32 %x, ptr %x.reg2mem, align 4
  %x.reload1 = load i32, ptr %x.reg2mem, align 4
  %y = add i32 %x.reload1, 1
  store i32 %y, ptr %y.reg2mem, align 4
  %1 = load ptr, ptr @__mig_ssp, align 8
  store ptr %1, ptr %setjmp.ssp, align 8
  %r = call i32 @__mig_setjmp(ptr %buffer, i64 %fid, i32 0, ptr %setjmp.slot) #0
  br label %entry.split

entry.split:                                      ; preds = %entry
  %2 = load ptr, ptr %setjmp.ssp, align 8
  store ptr %2, ptr @__mig_ssp, align 8
  %again = icmp ne i32 %r, 0
  %y.reload = load i32, ptr %y.reg2mem, align 4
  br i1 %again, label %join, label %first

first:                                            ; preds = %entry.split
  call void @__mig_leave()
  %x.reload = load i32, ptr %x.reg2mem, align 4
  br label %join

join:                                             ; preds = %first, %entry.split
  %p = phi i32 [ %y.reload, %entry.split ], [ %x.reload, %first ]
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

; Function Attrs: noreturn
declare void @__mig_longjmp(ptr, i32) #1

; Function Attrs: nounwind returns_twice
declare i32 @__mig_setjmp(ptr, i64, i32, ptr) #2

attributes #0 = { returns_twice }
attributes #1 = { noreturn }
attributes #2 = { nounwind returns_twice }
