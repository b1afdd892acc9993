-- table.sort with a comparator, string building and gsub: work inside C functions that call
-- back into Lua. lua sort.lua [ROUNDS]
local rounds = tonumber(arg[1]) or 5
local seed = 42
local function random(m)
  seed = (seed * 16807) % 2147483647
  return seed % m
end

local total = 0
for round = 1, rounds do
  local words = {}
  for i = 1, 4000 do
    local w = {}
    for j = 1, 3 + random(8) do w[j] = string.char(97 + random(26)) end
    words[i] = table.concat(w)
  end
  table.sort(words, function(a, b)
    if #a ~= #b then return #a < #b end
    return a > b
  end)
  local text = table.concat(words, " ")
  local vowels = select(2, text:gsub("[aeiou]", function(c) return c:upper() end))
  total = total + vowels
  print(string.format("round %d: %s .. %s, %d vowels, %.6f", round, words[1], words[#words], vowels,
    vowels / #text))
  io.stdout:flush()
end
print("vowels in all: " .. total)
