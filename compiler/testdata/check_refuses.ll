; passes: migrated-check
; All errors are reported, each with its place.
target triple = "riscv64-unknown-linux-musl"

module asm ".weak f"

@resolved = ifunc void (), ptr @resolver
@far = addrspace(1) global i32 0

define internal ptr @resolver() {
  ret ptr null
}

define <vscale x 2 x i64> @vector(<vscale x 2 x i64> %v) {
  ret <vscale x 2 x i64> %v
}

define void @assembly(double %d) !dbg !4 {
  call void asm sideeffect "nop", ""(), !dbg !6
  %x = call double asm "", "=f,0"(double %d), !dbg !7
  call void asm sideeffect "", "~{x10}"()
  ret void
}

define void @machine(i32 %x) !dbg !5 {
  %f = call ptr @llvm.frameaddress.p0(i32 0), !dbg !8
  %v = call i64 @llvm.riscv.vsetvlimax.i64(i64 0, i64 0), !dbg !9
  musttail call void @machine(i32 %x), !dbg !9
  ret void
}

define void @naked() naked {
  unreachable
}

declare ptr @llvm.frameaddress.p0(i32)
declare i64 @llvm.riscv.vsetvlimax.i64(i64, i64)

!llvm.dbg.cu = !{!0}
!llvm.module.flags = !{!3}
!0 = distinct !DICompileUnit(language: DW_LANG_C11, file: !1, emissionKind: LineTablesOnly)
!1 = !DIFile(filename: "file.c", directory: "/src")
!2 = !DIFile(filename: "lib/header.h", directory: "/usr")
!3 = !{i32 2, !"Debug Info Version", i32 3}
!4 = distinct !DISubprogram(name: "assembly", file: !1, line: 3, unit: !0, spFlags: DISPFlagDefinition)
!5 = distinct !DISubprogram(name: "machine", file: !2, line: 10, unit: !0, spFlags: DISPFlagDefinition)
!6 = !DILocation(line: 4, column: 2, scope: !4)
!7 = !DILocation(line: 5, scope: !4)
!8 = !DILocation(line: 11, column: 7, scope: !5)
!9 = !DILocation(line: 12, column: 7, scope: !5)
