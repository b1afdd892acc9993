; passes: migrated-tls
@absent = external thread_local global i32

define ptr @f() {
  %p = call ptr @llvm.threadlocal.address.p0(ptr @absent)
  ret ptr %p
}

declare ptr @llvm.threadlocal.address.p0(ptr)
