; passes: migrated-variadics
define i32 @exported(i32 %n, ...) {
  %x = call i32 (i32, ...) @absent(i32 %n, i32 1)
  ret i32 %x
}

declare i32 @absent(i32, ...)
