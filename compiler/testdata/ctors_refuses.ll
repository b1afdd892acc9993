; passes: migrated-ctors
; Nobody would run it.
@llvm.global_ctors = appending global [1 x { i32, ptr, ptr }] [{ i32, ptr, ptr } { i32 65535, ptr @a, ptr null }]

declare void @a()
