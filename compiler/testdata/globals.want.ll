@anonymous = dso_local constant [3 x i8] c"hi\00", section ".mig.rodata.anonymous", align 1
@.str = dso_local constant [6 x i8] c"hello\00", section ".mig.rodata..str", align 1
@odd_name.1 = dso_local global i32 1, section ".mig.data.odd_name.1", align 4
@odd_name = dso_local global i32 2, section ".mig.data.odd_name", align 4
@label = dso_local global i64 0, align 8 #0
@big = dso_local global [100 x double] zeroinitializer, align 64 #1
@native_knows = dso_local global i32 0, align 4 #2
@absent = extern_weak global i32
@__mig_sites = dso_local constant [1 x ptr] [ptr @resumes], section ".rodata.mig.private"
@table = dso_local constant [1 x ptr] [ptr @pointed_at], section ".mig.rodata.table", align 8

define internal void @resumes() {
  ret void
}

define dso_local void @pointed_at() section ".mig.text.pointed_at" align 16 {
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

define dso_local void @passed() section ".mig.text.passed" align 16 {
  ret void
}

declare dso_local i32 @personality(...)

attributes #0 = { "bss-section"=".mig.bss.label" }
attributes #1 = { "bss-section"=".mig.bss.big" }
attributes #2 = { "bss-section"=".mig.bss.native_knows" }
