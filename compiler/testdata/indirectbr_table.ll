; passes: migrated-indirectbr
; An interpreter's dispatch: the number of a label is that of its place in the table.
@table = internal constant [3 x ptr] [ptr blockaddress(@run, %stop), ptr blockaddress(@run, %add), ptr blockaddress(@run, %sub)]

define i32 @run(ptr %code) {
entry:
  br label %dispatch

add:
  br label %dispatch

sub:
  br label %dispatch

dispatch:
  %x = phi i32 [ 0, %entry ], [ 1, %add ], [ -1, %sub ]
  %op = load i32, ptr %code
  %i = zext i32 %op to i64
  %p = getelementptr inbounds [3 x ptr], ptr @table, i64 0, i64 %i
  %label = load ptr, ptr %p
  indirectbr ptr %label, [label %add, label %sub, label %stop]

stop:
  ret i32 %x
}
