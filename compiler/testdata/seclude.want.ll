target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
target triple = "x86_64-unknown-linux-musl"

define internal i32 @main() {
  ret i32 0
}

define internal void @start(ptr %compare) #0 {
  %a = call i32 @main() #1
  %b = call i32 %compare(ptr null, ptr null) #1
  call void @helper()
  ret void
}

define internal void @helper() #0 {
  ret void
}

define internal void @program() {
  call void @helper()
  %a = call i32 @main()
  ret void
}

attributes #0 = { "migrated-system" }
attributes #1 = { noinline }
