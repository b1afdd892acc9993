; passes: migrated-frames -migrated-clones=0
; A call that can leave becomes an invoke with a save pad; the function begins behind it, too.
; Where nothing is left to do behind the call, there is no record.
declare void @__mig_leave()

define i64 @sum(i64 %a, i1 %flag, { i64, i32 } %pair) nounwind {
  %b = mul i64 %a, 3
  call void @__mig_leave()
  %c = select i1 %flag, i64 %a, i64 %b
  %r = call i64 @twice(i64 %c)
  %first = extractvalue { i64, i32 } %pair, 0
  %s = add i64 %r, %first
  ret i64 %s
}

define i64 @twice(i64 %a) {
  call void @__mig_leave()
  %b = shl i64 %a, 1
  ret i64 %b
}

define i64 @hands_on(i64 %a) {
  %r = tail call i64 @sum(i64 %a, i1 true, { i64, i32 } zeroinitializer)
  ret i64 %r
}
