-- fannkuch: flips of all permutations of 1..n, the largest number of flips and a checksum
-- (after D. Gries and others' definition of the benchmark). lua fannkuch.lua [N [LINES]]
local n = tonumber(arg[1]) or 9
local lines = tonumber(arg[2]) or 10

local p, q, s = {}, {}, {}
for i = 1, n do p[i], q[i], s[i] = i, i, i end

local sign, maxflips, sum, count = 1, 0, 0, 0
local total = 1
for i = 2, n do total = total * i end
local step = math.max(1, total // lines)

local function permutation_done()
  count = count + 1
  if count % step == 0 then
    print(string.format("%3d%%  checksum %d  max flips %d", 100 * count // total, sum, maxflips))
    io.stdout:flush()
  end
end

while true do
  local q1 = p[1]
  if q1 ~= 1 then
    for i = 2, n do q[i] = p[i] end
    local flips = 1
    while true do
      local qq = q[q1]
      if qq == 1 then
        sum = sum + sign * flips
        if flips > maxflips then maxflips = flips end
        break
      end
      q[q1] = q1
      if q1 >= 4 then
        local i, j = 2, q1 - 1
        repeat q[i], q[j] = q[j], q[i]; i = i + 1; j = j - 1 until i >= j
      end
      q1 = qq
      flips = flips + 1
    end
  end
  permutation_done()
  if sign == 1 then
    p[1], p[2] = p[2], p[1]
    sign = -1
  else
    p[2], p[3] = p[3], p[2]
    sign = 1
    local done = false
    for i = 3, n do
      local sx = s[i]
      if sx ~= 1 then s[i] = sx - 1; break end
      if i == n then done = true; break end
      s[i] = i
      local t = p[1]
      for j = 1, i do p[j] = p[j + 1] end
      p[i + 1] = t
    end
    if done then break end
  end
end
print(sum)
print(string.format("Pfannkuchen(%d) = %d", n, maxflips))
