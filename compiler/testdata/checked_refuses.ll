; passes: migrated-prepare
; Bitcode of another compiler.
define void @ours() "migrated-checked" {
  ret void
}

define void @foreign() {
  ret void
}
