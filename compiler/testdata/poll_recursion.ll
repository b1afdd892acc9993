; passes: migrated-poll
; Each cycle of calls has a function that polls on entry, also one through a pointer.
; Functions of libc and kernel do so only in loops that call through pointers.
@callback = global ptr @visit

define i64 @even(i64 %n) {
  %m = sub i64 %n, 1
  %r = call i64 @odd(i64 %m)
  ret i64 %r
}

define i64 @odd(i64 %n) {
  %m = sub i64 %n, 1
  %r = call i64 @even(i64 %m)
  ret i64 %r
}

define void @visit(ptr %p) {
  %f = load ptr, ptr @callback
  call void %f(ptr %p)
  ret void
}

; Where recursion takes room on the shadow stack, it polls too where there is no more.
define i64 @sum(i64 %n) {
  %a = alloca i64
  %m = sub i64 %n, 1
  call void @use(ptr %a)
  %r = call i64 @sum(i64 %m)
  ret i64 %r
}

declare void @use(ptr)

define i64 @leaf(i64 %n) {
  %r = call i64 @even(i64 %n)
  ret i64 %r
}

define void @each(ptr %f, i64 %n) "migrated-system" {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  call void %f(i64 %i, i64 %i)
  %next = add i64 %i, 1
  %done = icmp eq i64 %next, %n
  br i1 %done, label %exit, label %loop
exit:
  ret void
}

define i64 @length(ptr %s) "migrated-system" {
entry:
  br label %loop
loop:
  %at = phi ptr [ %s, %entry ], [ %next, %loop ]
  %c = load i8, ptr %at
  %next = getelementptr i8, ptr %at, i64 1
  %done = icmp eq i8 %c, 0
  br i1 %done, label %exit, label %loop
exit:
  %end = ptrtoint ptr %at to i64
  ret i64 %end
}
