; passes: migrated-yield
; What a program may define itself is weak; what is libc's own affair, or nobody else's, stays.
@optarg = global ptr null
@__environ = global ptr null
@buffer = internal global i32 0
@stdout = external global ptr

@index = weak alias ptr, ptr @strchr
@__strtol_internal = alias i64 (ptr), ptr @strtol

define i64 @strtol(ptr %text) {
  ret i64 0
}

define ptr @strchr(ptr %text) {
  ret ptr null
}

define internal void @helper() {
  ret void
}

define void @__expand() {
  ret void
}

declare void @llvm.trap()
declare void @free(ptr)
