; passes: migrated-variadics
; Definitions, direct and indirect calls, and functions without a prototype.
target datalayout = "e-m:e-i64:64-i128:128-n32:64-S128"

@pointer = internal global ptr @list

define internal i32 @list(ptr %format, ...) memory(read) {
  %ap = alloca ptr
  %aq = alloca ptr
  call void @llvm.va_start.p0(ptr %ap)
  call void @llvm.va_copy.p0(ptr %aq, ptr %ap)
  %i = va_arg ptr %ap, i32
  %l = va_arg ptr %ap, fp128
  call void @llvm.va_end.p0(ptr %aq)
  call void @llvm.va_end.p0(ptr %ap)
  ret i32 %i
}

; Extended by what the attribute says; 16-aligned where the type is.
define internal void @direct(i8 %c, i32 %i, double %d, fp128 %l, [2 x i64] %s) {
  %1 = call i32 (ptr, ...) @list(ptr null, i8 zeroext %c, i32 signext %i, fp128 %l, double %d, [2 x i64] %s)
  %2 = call i32 (ptr, ...) @list(ptr nonnull @pointer)
  ret void
}

define internal void @indirect(ptr %f, i32 %i) {
  %1 = call i32 (ptr, ...) %f(ptr null, i32 %i)
  %2 = call i32 (ptr, ...) %f(ptr null)
  ret void
}

; `int plain();`: all that is passed is an argument of its own.
define internal void @without_prototype(ptr %f, i32 %i) {
  %1 = call i32 (i32, ...) @plain(i32 signext %i)
  %2 = call i32 (i32, ...) %f(i32 signext %i)
  %3 = call i32 (...) %f()
  %4 = call i32 (i32, ...) @native(i32 signext %i)
  ret void
}

define internal i32 @plain(i32 signext %i) {
  ret i32 %i
}

declare i32 @native(...)
declare void @llvm.va_start.p0(ptr)
declare void @llvm.va_copy.p0(ptr, ptr)
declare void @llvm.va_end.p0(ptr)
