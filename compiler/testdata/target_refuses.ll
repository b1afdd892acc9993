; passes: migrated-target -migrated-triple=i686-unknown-linux-musl -migrated-datalayout=e-p:32:32
define void @f() {
  ret void
}
