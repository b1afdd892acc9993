; passes: migrated-internalise -migrated-keep=entry,__mig_ssp
; Kept is what is named; __attribute__((used)) is about linkers.
$inline = comdat any

@llvm.used = appending global [1 x ptr] [ptr @marked_used], section "llvm.metadata"
@tentative = common global i32 0
@hidden_data = hidden global i32 1
@__mig_ssp = global ptr null
@__mig_other = global ptr null

define void @entry() {
  ret void
}

define void @marked_used() {
  ret void
}

define weak void @weak_default() {
  ret void
}

define linkonce_odr void @inline() comdat {
  ret void
}

declare void @native()
