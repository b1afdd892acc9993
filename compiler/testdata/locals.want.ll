declare void @__mig_leave()

declare void @keep(ptr)

; Function Attrs: nocallback nofree nounwind willreturn memory(argmem: readwrite)
declare void @llvm.memcpy.p0.p0.i64(ptr noalias nocapture writeonly, ptr noalias nocapture readonly, i64, i1 immarg) #0

; Function Attrs: nocallback nofree nounwind willreturn memory(argmem: write)
declare void @llvm.memset.p0.i64(ptr nocapture writeonly, i8, i64, i1 immarg) #1

define i64 @arrays(ptr %p, i64 %n) {
  %a = alloca [64 x i64], align 8
  %b = alloca [64 x i64], align 8
  %kept = alloca i64, align 8
  call void @llvm.experimental.noalias.scope.decl(metadata !0)
  call void @llvm.experimental.noalias.scope.decl(metadata !3)
  call void @llvm.experimental.noalias.scope.decl(metadata !5)
  call void @keep(ptr %kept)
  %x = getelementptr i64, ptr %a, i64 %n
  store i64 1, ptr %x, align 4, !alias.scope !0, !noalias !7
  %y = getelementptr i64, ptr %b, i64 %n
  store i64 2, ptr %y, align 4, !alias.scope !3, !noalias !8
  store i64 3, ptr %p, align 4, !noalias !9
  %q = load ptr, ptr %p, align 8, !noalias !9
  store i64 4, ptr %q, align 4, !noalias !10
  %r = load i64, ptr %kept, align 4, !alias.scope !5, !noalias !10
  call void @__mig_leave()
  %s = load i64, ptr %x, align 4, !alias.scope !0, !noalias !7
  %t = add i64 %r, %s
  ret i64 %t
}

define void @several(ptr %p, i1 %c) {
  %a = alloca [64 x i64], align 8
  %b = alloca [64 x i64], align 8
  call void @llvm.experimental.noalias.scope.decl(metadata !11)
  call void @llvm.experimental.noalias.scope.decl(metadata !14)
  call void @llvm.memset.p0.i64(ptr %a, i8 0, i64 512, i1 false), !alias.scope !11, !noalias !14
  %either = select i1 %c, ptr %a, ptr %b
  store i64 1, ptr %either, align 4, !alias.scope !16
  call void @__mig_leave()
  call void @llvm.memcpy.p0.p0.i64(ptr %p, ptr %b, i64 512, i1 false), !noalias !11
  %v = load volatile i64, ptr %a, align 4
  ret void
}

define void @unknown(ptr %p, i1 %c) {
  %a = alloca i64, align 8
  call void @llvm.experimental.noalias.scope.decl(metadata !17)
  store i64 1, ptr %a, align 4, !alias.scope !17
  %one = select i1 %c, ptr %a, ptr %p
  store i64 2, ptr %one, align 4
  call void @__mig_leave()
  ret void
}

define void @native(ptr %p) {
  %a = alloca i64, align 8
  store i64 1, ptr %a, align 4
  store i64 2, ptr %p, align 4
  ret void
}

; Function Attrs: nocallback nofree nosync nounwind willreturn memory(inaccessiblemem: readwrite)
declare void @llvm.experimental.noalias.scope.decl(metadata) #2

attributes #0 = { nocallback nofree nounwind willreturn memory(argmem: readwrite) }
attributes #1 = { nocallback nofree nounwind willreturn memory(argmem: write) }
attributes #2 = { nocallback nofree nosync nounwind willreturn memory(inaccessiblemem: readwrite) }

!0 = !{!1}
!1 = distinct !{!1, !2, !"a"}
!2 = distinct !{!2, !"arrays"}
!3 = !{!4}
!4 = distinct !{!4, !2, !"b"}
!5 = !{!6}
!6 = distinct !{!6, !2, !"kept"}
!7 = !{!4, !6}
!8 = !{!1, !6}
!9 = !{!1, !4, !6}
!10 = !{!1, !4}
!11 = !{!12}
!12 = distinct !{!12, !13, !"a"}
!13 = distinct !{!13, !"several"}
!14 = !{!15}
!15 = distinct !{!15, !13, !"b"}
!16 = !{!15, !12}
!17 = !{!18}
!18 = distinct !{!18, !19, !"a"}
!19 = distinct !{!19, !"unknown"}
