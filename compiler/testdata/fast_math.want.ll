define float @f(float %x, i1 %c) {
  %a = fadd float %x, 1.000000e+00
  %b = call float @g(float %a)
  %d = fdiv float %b, 3.000000e+00
  %s = select i1 %c, float %d, float %a
  ret float %s
}

declare float @g(float)
