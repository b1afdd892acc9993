target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
target triple = "x86_64-unknown-linux-musl"

define internal i32 @puts.mig(ptr %s) {
  ret i32 0
}

define internal void @ours() {
  %x = call i32 @puts.mig(ptr null)
  call void @memcpy(ptr null, ptr null, i64 0)
  ret void
}

declare void @memcpy(ptr, ptr, i64)
