@__mig_tp = external global ptr
@__mig_tls_image = constant <{ i8, [31 x i8], [3 x i32], [4 x i8], ptr }> <{ i8 7, [31 x i8] zeroinitializer, [3 x i32] [i32 1, i32 2, i32 3], [4 x i8] zeroinitializer, ptr @user }>, align 32
@__mig_tls_size = constant i64 56, align 8
@__mig_tls_align = constant i64 32, align 8

define ptr @user(i1 %x) {
entry:
  %0 = load ptr, ptr @__mig_tp, align 8
  %c = getelementptr inbounds i8, ptr %0, i64 0
  store i8 1, ptr %c, align 1
  %1 = load ptr, ptr @__mig_tp, align 8
  %wide1 = getelementptr inbounds i8, ptr %1, i64 32
  br i1 %x, label %left, label %right

left:                                             ; preds = %entry
  %2 = load ptr, ptr @__mig_tp, align 8
  %wide = getelementptr inbounds i8, ptr %2, i64 32
  %3 = getelementptr [3 x i32], ptr %wide, i64 0, i64 2
  br label %right

right:                                            ; preds = %left, %entry
  %p = phi ptr [ %wide1, %entry ], [ %3, %left ]
  ret ptr %p
}

define i64 @size() {
  %n = load i64, ptr @__mig_tls_size, align 4
  ret i64 %n
}

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare nonnull ptr @llvm.threadlocal.address.p0(ptr nonnull) #0

attributes #0 = { nocallback nofree nosync nounwind speculatable willreturn memory(none) }
