; passes: migrated-aliases -migrated-keep=native_name
; Uses get the first name; a name that native code uses stays; a library function that is
; defined under another name gets its own.
@table = global [4 x i32] zeroinitializer
@third = alias i32, getelementptr ([4 x i32], ptr @table, i64 0, i64 2)

@weak_name = weak alias void (), ptr @named
@native_name = alias void (), ptr @implementation
@malloc = weak alias ptr (i64), ptr @default_malloc
@again = alias ptr (i64), ptr @default_malloc

define void @named() {
  ret void
}

define internal void @implementation() {
  ret void
}

define internal ptr @default_malloc(i64 %n) {
  ret ptr null
}

define i32 @user() {
  call void @weak_name()
  call void @native_name()
  %p = call ptr @again(i64 1)
  %v = load i32, ptr @third
  ret i32 %v
}
