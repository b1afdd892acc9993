; passes: migrated-poll
; The kernel tells of its own migration points only in images that measure them.
declare void @__mig_poll_gap()

define void @part(ptr %p) "migrated-system" {
  store i64 0, ptr %p
  call void @__mig_poll_gap()
  ret void
}
