; passes: migrated-target -migrated-triple=x86_64-unknown-linux-musl -migrated-datalayout=e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128 -migrated-poll=__mig_poll_256
; Polls, which are cold, keep all registers; other calls are what they were.
define void @__mig_poll_slow() {
  ret void
}

define void @polls(i1 %wanted) personality ptr @__mig_personality {
  br i1 %wanted, label %call, label %invoke

call:
  call void @__mig_poll_slow() cold
  ret void

invoke:
  invoke void @__mig_poll_slow() cold to label %end unwind label %save

end:
  call void @__mig_poll_slow()
  ret void

save:
  %pad = landingpad { ptr, i32 } cleanup
  unreachable
}

declare i32 @__mig_personality(...)
