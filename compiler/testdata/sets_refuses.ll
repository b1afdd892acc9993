; passes: migrated-sets
@__start_none = external global [0 x i8]

define ptr @f() {
  ret ptr @__start_none
}
