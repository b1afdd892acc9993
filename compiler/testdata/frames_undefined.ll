; passes: migrated-frames -migrated-clones=0
; A record holds zero where a variable is not set on the way to a site.
declare void @__mig_leave()

define i64 @maybe(i1 %set, i64 %a) {
  br i1 %set, label %yes, label %no

yes:
  %double = shl i64 %a, 1
  br label %no

no:
  %x = phi i64 [ undef, %0 ], [ %double, %yes ]
  %y = freeze i64 poison
  call void @__mig_leave()
  %s = add i64 %x, %y
  %r = select i1 %set, i64 %s, i64 0
  ret i64 %r
}
