; passes: migrated-poll -migrated-poll-gap
; The kernel's own migration points stay marked in an image that measures; polls are marked too.
declare void @__mig_poll_gap()

define void @part(ptr %p) "migrated-system" {
  store i64 0, ptr %p
  call void @__mig_poll_gap()
  ret void
}
