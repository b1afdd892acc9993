define void @part(ptr %p) #0 {
  store i64 0, ptr %p, align 4
  ret void
}

attributes #0 = { "migrated-system" }
