; passes: migrated-target -migrated-triple=aarch64-unknown-linux-musl -migrated-datalayout=e-m:e-i8:8:32-i16:16:32-i64:64-i128:128-n32:64-S128-Fn32
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
target triple = "x86_64-unknown-linux-musl"

define void @f() nounwind "target-cpu"="x86-64" {
  ret void
}
