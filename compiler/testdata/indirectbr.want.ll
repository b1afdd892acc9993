@table = internal constant [3 x ptr] [ptr inttoptr (i64 1 to ptr), ptr inttoptr (i64 2 to ptr), ptr inttoptr (i64 1 to ptr)]
@distance = internal constant i32 1

define i32 @f(i64 %i) {
entry:
  %p = getelementptr [3 x ptr], ptr @table, i64 0, i64 %i
  %label = load ptr, ptr %p, align 8
  %0 = ptrtoint ptr %label to i64
  switch i64 %0, label %nolabel [
    i64 1, label %one
    i64 2, label %two
  ]

one:                                              ; preds = %entry
  ret i32 1

two:                                              ; preds = %entry
  ret i32 2

never:                                            ; No predecessors!
  ret i32 3

nolabel:                                          ; preds = %entry
  unreachable
}
