declare void @__mig_leave()

declare ptr @memcpy(ptr, ptr, i64)

declare i32 @memcmp(ptr, ptr, i64)

; Function Attrs: nocallback nofree nounwind willreturn memory(argmem: write)
declare void @llvm.memset.p0.i32(ptr nocapture writeonly, i8, i32, i1 immarg) #0

; Function Attrs: nocallback nofree nounwind willreturn memory(argmem: readwrite)
declare void @llvm.memmove.p0.p0.i64(ptr nocapture writeonly, ptr nocapture readonly, i64, i1 immarg) #1

define ptr @reached(ptr %a, ptr %b, i64 %n, i32 %m) {
  call void @__mig_leave()
  call void @llvm.memmove.p0.p0.i64(ptr %a, ptr %b, i64 65536, i1 false)
  %1 = zext i32 %m to i64
  %2 = icmp ugt i64 %1, 65536
  br i1 %2, label %3, label %4, !prof !0

3:                                                ; preds = %0
  call void @__mig_bulk_fill(ptr %a, i32 7, i64 %1)
  br label %5

4:                                                ; preds = %0
  call void @llvm.memset.p0.i32(ptr %a, i8 7, i32 %m, i1 false)
  br label %5

5:                                                ; preds = %4, %3
  %6 = icmp ugt i64 %n, 65536
  br i1 %6, label %7, label %8, !prof !0

7:                                                ; preds = %5
  call void @__mig_bulk_copy(ptr %a, ptr %b, i64 %n)
  br label %9

8:                                                ; preds = %5
  %p = call ptr @memcpy(ptr %a, ptr %b, i64 %n)
  br label %9

9:                                                ; preds = %8, %7
  %10 = phi ptr [ %a, %7 ], [ %p, %8 ]
  ret ptr %10
}

define i32 @compares(ptr %a, ptr %b, i64 %n) {
  call void @__mig_leave()
  %1 = icmp ugt i64 %n, 65536
  br i1 %1, label %2, label %4, !prof !0

2:                                                ; preds = %0
  %3 = call i32 @__mig_bulk_compare(ptr %a, ptr %b, i64 %n)
  br label %5

4:                                                ; preds = %0
  %c = call i32 @memcmp(ptr %a, ptr %b, i64 %n)
  br label %5

5:                                                ; preds = %4, %2
  %6 = phi i32 [ %3, %2 ], [ %c, %4 ]
  ret i32 %6
}

define void @leaf(ptr %a, ptr %b, i64 %n) {
  call void @llvm.memmove.p0.p0.i64(ptr %a, ptr %b, i64 %n, i1 false)
  ret void
}

define void @system(ptr %a, i32 %m) #2 {
  call void @__mig_leave()
  call void @llvm.memset.p0.i32(ptr %a, i8 7, i32 %m, i1 false)
  ret void
}

declare void @__mig_bulk_fill(ptr, i32, i64)

declare void @__mig_bulk_copy(ptr, ptr, i64)

declare i32 @__mig_bulk_compare(ptr, ptr, i64)

attributes #0 = { nocallback nofree nounwind willreturn memory(argmem: write) }
attributes #1 = { nocallback nofree nounwind willreturn memory(argmem: readwrite) }
attributes #2 = { "migrated-system" }

!0 = !{!"branch_weights", i32 1, i32 1048575}
