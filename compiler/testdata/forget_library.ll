; passes: migrated-forget-library
; For each build the library's functions are like all others.
target triple = "x86_64-unknown-linux-musl"

define internal i32 @puts(ptr %s) "no-builtins" {
  ret i32 0
}

define internal void @ours() {
  %x = call i32 @puts(ptr null)
  call void @memcpy(ptr null, ptr null, i64 0)
  ret void
}

declare void @memcpy(ptr, ptr, i64)
