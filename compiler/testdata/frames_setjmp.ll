; passes: migrated-frames
; A resume function arms the frame's setjmps again, and can be entered behind each.
declare i32 @__mig_setjmp(ptr, i64, i32, ptr) returns_twice nounwind
declare void @__mig_leave()
@__mig_ssp = external global ptr
@__mig_fid = global i64 0

define i32 @catches(ptr %buffer) {
  %caller = load ptr, ptr @__mig_ssp
  %frame = getelementptr inbounds i8, ptr %caller, i64 -256
  store ptr %frame, ptr @__mig_ssp
  %count = load i64, ptr @__mig_fid
  %fid = add i64 %count, 1
  store i64 %fid, ptr @__mig_fid
  %r = call i32 @__mig_setjmp(ptr %buffer, i64 %fid, i32 0, ptr %frame) returns_twice
  %again = icmp ne i32 %r, 0
  br i1 %again, label %exit, label %first
first:
  call void @__mig_leave()
  br label %exit
exit:
  %top = getelementptr inbounds i8, ptr %frame, i64 256
  store ptr %top, ptr @__mig_ssp
  ret i32 %r
}
