; passes: migrated-seclude
; libc's functions keep calls of the program's, direct or through pointers, as calls.
target triple = "x86_64-unknown-linux-musl"

define internal i32 @main() {
  ret i32 0
}

define internal void @start(ptr %compare) "migrated-system" {
  %a = call i32 @main()
  %b = call i32 %compare(ptr null, ptr null)
  call void @helper()
  ret void
}

define internal void @helper() "migrated-system" {
  ret void
}

define internal void @program() {
  call void @helper()
  %a = call i32 @main()
  ret void
}
