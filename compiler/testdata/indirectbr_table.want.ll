@table = internal constant [3 x ptr] [ptr inttoptr (i64 1 to ptr), ptr inttoptr (i64 2 to ptr), ptr inttoptr (i64 3 to ptr)]

define i32 @run(ptr %code) {
entry:
  br label %dispatch

add:                                              ; preds = %dispatch
  br label %dispatch

sub:                                              ; preds = %dispatch
  br label %dispatch

dispatch:                                         ; preds = %sub, %add, %entry
  %x = phi i32 [ 0, %entry ], [ 1, %add ], [ -1, %sub ]
  %op = load i32, ptr %code, align 4
  %i = zext i32 %op to i64
  %p = getelementptr inbounds [3 x ptr], ptr @table, i64 0, i64 %i
  %0 = add i64 %i, 1
  %1 = inttoptr i64 %0 to ptr
  %2 = ptrtoint ptr %1 to i64
  switch i64 %2, label %nolabel [
    i64 2, label %add
    i64 3, label %sub
    i64 1, label %stop
  ]

stop:                                             ; preds = %dispatch
  ret i32 %x

nolabel:                                          ; preds = %dispatch
  unreachable
}
