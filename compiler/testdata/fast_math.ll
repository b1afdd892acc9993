; passes: migrated-fast-math
define float @f(float %x, i1 %c) {
  %a = fadd fast float %x, 1.0
  %b = call contract float @g(float %a)
  %d = fdiv arcp float %b, 3.0, !fpmath !0
  %s = select nsz i1 %c, float %d, float %a
  ret float %s
}

declare float @g(float)

!0 = !{float 2.5}
