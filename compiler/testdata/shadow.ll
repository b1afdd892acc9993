; passes: migrated-shadow
; Allocas of functions that can be left move to the shadow stack; others stay, unless their
; address is looked at.
declare void @__mig_leave()
declare void @use(ptr)
declare ptr @llvm.stacksave.p0()
declare void @llvm.stackrestore.p0(ptr)
declare void @llvm.lifetime.start.p0(i64, ptr)
declare void @llvm.lifetime.end.p0(i64, ptr)

define i32 @fixed() {
  %a = alloca i32
  %b = alloca [5 x i64]
  call void @llvm.lifetime.start.p0(i64 4, ptr %a)
  call void @use(ptr %a)
  call void @use(ptr %b)
  call void @__mig_leave()
  call void @llvm.lifetime.end.p0(i64 4, ptr %a)
  %r = load i32, ptr %a
  ret i32 %r
}

define void @overaligned() {
  %a = alloca i8, align 64
  call void @use(ptr %a)
  call void @__mig_leave()
  ret void
}

define void @dynamic(i32 %n) {
entry:
  br label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %next, %loop ]
  %top = call ptr @llvm.stacksave.p0()
  %a = alloca i32, i32 %n
  call void @use(ptr %a)
  call void @__mig_leave()
  call void @llvm.stackrestore.p0(ptr %top)
  %next = add i32 %i, 1
  %done = icmp eq i32 %next, %n
  br i1 %done, label %exit, label %loop
exit:
  ret void
}

define void @native() {
  %a = alloca i32
  call void @use(ptr %a)
  ret void
}

; A large frame looks whether it has room.
define void @large() {
  %a = alloca [1024 x i8]
  call void @use(ptr %a)
  call void @__mig_leave()
  ret void
}

@outermost = global ptr null

; How deep recursion is.
define i64 @distance() {
  %here = alloca i8
  %top = load ptr, ptr @outermost
  %top.number = ptrtoint ptr %top to i64
  %here.number = ptrtoint ptr %here to i64
  %r = sub i64 %top.number, %here.number
  ret i64 %r
}

define i1 @below(ptr %caller) {
  %here = alloca i8
  %r = icmp ult ptr %here, %caller
  ret i1 %r
}

; How long what was written to a local array is: the place of that does not matter.
define i64 @within(i8 %n) {
entry:
  %a = alloca [20 x i8]
  %end = getelementptr i8, ptr %a, i64 20
  br label %loop
loop:
  %p = phi ptr [ %end, %entry ], [ %next, %again ]
  %done = icmp eq ptr %p, %a
  br i1 %done, label %exit, label %again
again:
  %next = getelementptr i8, ptr %p, i64 -1
  store i8 %n, ptr %next
  br label %loop
exit:
  %end.number = ptrtoint ptr %end to i64
  %p.number = ptrtoint ptr %p to i64
  %r = sub i64 %end.number, %p.number
  ret i64 %r
}
