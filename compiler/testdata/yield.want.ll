@optarg = weak global ptr null
@__environ = global ptr null
@buffer = internal global i32 0
@stdout = external global ptr

@index = weak alias ptr, ptr @strchr
@__strtol_internal = alias i64 (ptr), ptr @strtol

define weak i64 @strtol(ptr %text) {
  ret i64 0
}

define weak ptr @strchr(ptr %text) {
  ret ptr null
}

define internal void @helper() {
  ret void
}

define void @__expand() {
  ret void
}

; Function Attrs: cold noreturn nounwind memory(inaccessiblemem: write)
declare void @llvm.trap() #0

declare void @free(ptr)

attributes #0 = { cold noreturn nounwind memory(inaccessiblemem: write) }
