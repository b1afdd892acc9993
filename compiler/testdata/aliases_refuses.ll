; passes: migrated-aliases -migrated-keep=one,two
@two = alias void (), ptr @one

define void @one() {
  ret void
}
