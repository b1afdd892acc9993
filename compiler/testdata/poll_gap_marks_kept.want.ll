declare void @__mig_poll_gap()

define void @part(ptr %p) #0 {
  store i64 0, ptr %p, align 4
  call void @__mig_poll_gap()
  ret void
}

attributes #0 = { "migrated-system" }
