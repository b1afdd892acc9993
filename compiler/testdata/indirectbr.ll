; passes: migrated-indirectbr
; Labels are numbers, the same wherever they are stored. One whose address nobody takes, and
; one that is listed twice, are no extra ways to go.
@table = internal constant [3 x ptr] [ptr blockaddress(@f, %one), ptr blockaddress(@f, %two), ptr blockaddress(@f, %one)]
@distance = internal constant i32 trunc (i64 sub (i64 ptrtoint (ptr blockaddress(@f, %two) to i64), i64 ptrtoint (ptr blockaddress(@f, %one) to i64)) to i32)

define i32 @f(i64 %i) {
entry:
  %p = getelementptr [3 x ptr], ptr @table, i64 0, i64 %i
  %label = load ptr, ptr %p
  indirectbr ptr %label, [label %one, label %two, label %two, label %never]

one:
  ret i32 1

two:
  %x = phi i32 [ 2, %entry ], [ 2, %entry ]
  ret i32 %x

never:
  ret i32 3
}
