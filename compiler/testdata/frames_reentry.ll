; passes: migrated-frames -migrated-clones=1000
; An interpreter's clone only leads back to the head of the dispatch, and calls the function, which
; takes what lives there. The way to that head leads through that of the loop around it.
declare void @__mig_leave()

define internal i64 @interp(ptr %code, i64 %n, ptr %frames) "migrated-interpreter" {
entry:
  %k = load i64, ptr %frames
  br label %outer
outer:
  %pc0 = phi ptr [ %code, %entry ], [ %pcn, %call ]
  %depth = phi i64 [ 0, %entry ], [ %depth1, %call ]
  %scale = mul i64 %depth, %k
  br label %head
head:
  %pc = phi ptr [ %pc0, %outer ], [ %pc1, %add ], [ %pc1, %mul ]
  %acc = phi i64 [ %n, %outer ], [ %acca, %add ], [ %accm, %mul ]
  %op = load i8, ptr %pc
  %pc1 = getelementptr i8, ptr %pc, i64 1
  switch i8 %op, label %exit [ i8 1, label %add
     i8 2, label %mul
     i8 3, label %call ]
add:
  call void @__mig_leave()
  %acca = add i64 %acc, %scale
  br label %head
mul:
  %accm = mul i64 %acc, 3
  br label %head
call:
  %depth1 = add i64 %depth, 1
  %pcn = getelementptr i8, ptr %pc1, i64 2
  call void @__mig_leave()
  br label %outer
exit:
  ret i64 %acc
}
define i64 @main(ptr %a, i64 %b, ptr %c) {
  %r = call i64 @interp(ptr %a, i64 %b, ptr %c)
  %s = add i64 %r, 1
  ret i64 %s
}
