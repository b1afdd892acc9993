@tentative = internal global i32 0
@hidden_data = internal global i32 1
@__mig_ssp = dso_local global ptr null
@__mig_other = internal global ptr null

define dso_local void @entry() {
  ret void
}

define internal void @marked_used() {
  ret void
}

define internal void @weak_default() {
  ret void
}

define internal void @inline() {
  ret void
}

declare void @native()
