; passes: migrated-globals
; One section each, names that any linker takes, and no two alike.
@0 = private unnamed_addr constant [3 x i8] c"hi\00"
@.str = private unnamed_addr constant [6 x i8] c"hello\00"
@"odd name" = internal global i32 1, section "mine"
@odd_name = internal global i32 2
@"\01label" = internal global i64 0
@big = internal global [100 x double] zeroinitializer
@native_knows = global i32 0
@absent = extern_weak global i32
@__mig_sites = constant [1 x ptr] [ptr @resumes]
@table = internal constant [1 x ptr] [ptr @pointed_at]

define internal void @resumes() {
  ret void
}

define internal void @pointed_at() {
  ret void
}

define internal void @called() personality ptr @personality {
  call void @resumes()
  call void @takes(ptr @passed)
  ret void
}

define internal void @takes(ptr %f) {
  ret void
}

define internal void @passed() {
  ret void
}

declare i32 @personality(...)
