@table = global [4 x i32] zeroinitializer

define void @named() {
  ret void
}

define dso_local void @native_name() {
  ret void
}

define dso_local ptr @malloc(i64 %n) {
  ret ptr null
}

define i32 @user() {
  call void @named()
  call void @native_name()
  %p = call ptr @malloc(i64 1)
  %v = load i32, ptr getelementptr ([4 x i32], ptr @table, i64 0, i64 2), align 4
  ret i32 %v
}
