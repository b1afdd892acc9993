target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
target triple = "x86_64-unknown-linux-musl"

@text = internal constant [4 x i8] c"abc\00"

define ptr @end(ptr %s) {
  %strlen = call i64 @strlen(ptr noundef nonnull dereferenceable(1) %s)
  %strchr = getelementptr inbounds i8, ptr %s, i64 %strlen
  ret ptr %strchr
}

define ptr @copy(ptr %to) {
  store i32 6513249, ptr %to, align 1
  ret ptr %to
}

define internal ptr @strchr(ptr %s, i32 %c) {
  ret ptr %s
}

; Function Attrs: nofree nounwind willreturn memory(argmem: read)
define internal i64 @strlen(ptr nocapture %s) #0 {
  ret i64 0
}

define internal ptr @strcpy(ptr %to, ptr %from) {
  ret ptr %to
}

; Function Attrs: nocallback nofree nounwind willreturn memory(argmem: readwrite)
declare void @llvm.memcpy.p0.p0.i64(ptr noalias nocapture writeonly, ptr noalias nocapture readonly, i64, i1 immarg) #1

attributes #0 = { nofree nounwind willreturn memory(argmem: read) }
attributes #1 = { nocallback nofree nounwind willreturn memory(argmem: readwrite) }
