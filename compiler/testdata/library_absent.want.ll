target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
target triple = "x86_64-unknown-linux-musl"

define ptr @end(ptr %s) {
  %e = call ptr @strchr(ptr noundef nonnull dereferenceable(1) %s, i32 0)
  ret ptr %e
}

; Function Attrs: noinline
define internal ptr @strchr(ptr %s, i32 %c) #0 {
  ret ptr %s
}

attributes #0 = { noinline }
