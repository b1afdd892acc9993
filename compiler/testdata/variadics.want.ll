target datalayout = "e-m:e-i64:64-i128:128-n32:64-S128"

@pointer = internal global ptr @list
@va.none = internal constant [48 x i8] zeroinitializer, align 16

define internal i32 @list(ptr %format, ptr %args) {
  %ap = alloca ptr, align 8
  %aq = alloca ptr, align 8
  store ptr %args, ptr %ap, align 8
  %1 = load ptr, ptr %ap, align 8
  store ptr %1, ptr %aq, align 8
  %2 = load ptr, ptr %ap, align 8
  %3 = getelementptr i8, ptr %2, i64 8
  store ptr %3, ptr %ap, align 8
  %i = load i32, ptr %2, align 4
  %4 = load ptr, ptr %ap, align 8
  %5 = getelementptr i8, ptr %4, i64 15
  %6 = call ptr @llvm.ptrmask.p0.i64(ptr %5, i64 -16)
  %7 = getelementptr i8, ptr %6, i64 16
  store ptr %7, ptr %ap, align 8
  %l = load fp128, ptr %6, align 16
  ret i32 %i
}

define internal void @direct(i8 %c, i32 %i, double %d, fp128 %l, [2 x i64] %s) {
  %va.area = alloca [56 x i8], align 16
  %1 = zext i8 %c to i64
  %2 = getelementptr inbounds i8, ptr %va.area, i64 0
  store i64 %1, ptr %2, align 8
  %3 = sext i32 %i to i64
  %4 = getelementptr inbounds i8, ptr %va.area, i64 8
  store i64 %3, ptr %4, align 8
  %5 = getelementptr inbounds i8, ptr %va.area, i64 16
  store fp128 %l, ptr %5, align 16
  %6 = getelementptr inbounds i8, ptr %va.area, i64 32
  store double %d, ptr %6, align 8
  %7 = getelementptr inbounds i8, ptr %va.area, i64 40
  store [2 x i64] %s, ptr %7, align 8
  %8 = call i32 @list(ptr null, ptr %va.area)
  %9 = call i32 @list(ptr nonnull @pointer, ptr @va.none)
  ret void
}

define internal void @indirect(ptr %f, i32 %i) {
  %va.area = alloca [48 x i8], align 16
  %1 = sext i32 %i to i64
  %2 = getelementptr inbounds i8, ptr %va.area, i64 0
  store i64 %1, ptr %2, align 8
  %3 = call i32 %f(ptr null, ptr %va.area)
  %4 = call i32 %f(ptr null, ptr @va.none)
  ret void
}

define internal void @without_prototype(ptr %f, i32 %i) {
  %1 = call i32 @plain(i32 signext %i)
  %2 = call i32 %f(i32 signext %i)
  %3 = call i32 %f()
  %4 = call i32 @native(i32 signext %i)
  ret void
}

define internal i32 @plain(i32 signext %i) {
  ret i32 %i
}

declare i32 @native(...)

; Function Attrs: nocallback nofree nosync nounwind willreturn
declare void @llvm.va_start.p0(ptr) #0

; Function Attrs: nocallback nofree nosync nounwind willreturn
declare void @llvm.va_copy.p0(ptr, ptr) #0

; Function Attrs: nocallback nofree nosync nounwind willreturn
declare void @llvm.va_end.p0(ptr) #0

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare ptr @llvm.ptrmask.p0.i64(ptr, i64) #1

attributes #0 = { nocallback nofree nosync nounwind willreturn }
attributes #1 = { nocallback nofree nosync nounwind speculatable willreturn memory(none) }
