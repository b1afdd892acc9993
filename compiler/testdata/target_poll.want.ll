target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
target triple = "x86_64-unknown-linux-musl"

; Function Attrs: uwtable
define void @__mig_poll_slow() #0 {
  ret void
}

; Function Attrs: uwtable
define void @polls(i1 %wanted) #0 personality ptr @__mig_personality {
  br i1 %wanted, label %call, label %invoke

call:                                             ; preds = %0
  call preserve_allcc void @__mig_poll_256() #1
  ret void

invoke:                                           ; preds = %0
  invoke preserve_allcc void @__mig_poll_256() #1
          to label %end unwind label %save

end:                                              ; preds = %invoke
  call void @__mig_poll_slow()
  ret void

save:                                             ; preds = %invoke
  %pad = landingpad { ptr, i32 }
          cleanup
  unreachable
}

declare i32 @__mig_personality(...)

declare preserve_allcc void @__mig_poll_256()

attributes #0 = { uwtable }
attributes #1 = { cold }

!llvm.module.flags = !{!0}

!0 = !{i32 7, !"uwtable", i32 2}
