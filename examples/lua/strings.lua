-- Strings: patterns, formats, packing, UTF-8, and a small tokenizer and evaluator of
-- arithmetic that is fed text it makes itself. lua strings.lua [ROUNDS]
local rounds = tonumber(arg[1]) or 5
local seed = 7
local function random(m)
  seed = (seed * 16807) % 2147483647
  return seed % m
end

local function expression(depth)
  if depth == 0 or random(6) == 0 then return tostring(1 + random(99)) end
  local op = ({ "+", "-", "*", "//", "%" })[1 + random(5)]
  return string.format("(%s %s %s)", expression(depth - 1), op, expression(depth - 1))
end

local function tokens(text)
  return coroutine.wrap(function()
    local at = 1
    while at <= #text do
      local number, behind = text:match("^%s*(%d+)()", at)
      local sign
      if not number then
        sign, behind = text:match("^%s*(//)()", at)
        if not sign then sign, behind = text:match("^%s*([-+*%%()])()", at) end
        if not sign then error("bad text at " .. at) end
      end
      coroutine.yield(tonumber(number) or sign)
      at = behind
    end
  end)
end

local apply = {
  ["+"] = function(a, b) return a + b end,
  ["-"] = function(a, b) return a - b end,
  ["*"] = function(a, b) return a * b % 1000003 end,
  ["//"] = function(a, b) if b == 0 then error("division by zero", 0) end return a // b end,
  ["%"] = function(a, b) if b == 0 then error("remainder by zero", 0) end return a % b end,
}

local function evaluate(next_token)
  local token = next_token()
  if type(token) == "number" then return token end
  assert(token == "(")
  local a = evaluate(next_token)
  local op = next_token()
  local b = evaluate(next_token)
  assert(next_token() == ")")
  return apply[op](a, b)
end

local greeting = "Grüße, Žižek, 世界 🌍"
for round = 1, rounds do
  local sum, failures, length = 0, 0, 0
  for i = 1, 150 do
    local text = expression(4)
    length = length + #text
    local ok, value = pcall(evaluate, tokens(text))
    if ok then sum = sum + value else failures = failures + 1 end
  end

  local packed = {}
  for i = 1, 500 do packed[i] = string.pack("<i4dz", i, i / 3, ("%x"):format(i * 7919)) end
  local blob, at, back = table.concat(packed), 1, 0
  while at <= #blob do
    local i, d, hex
    i, d, hex, at = string.unpack("<i4dz", blob, at)
    if d == i / 3 and tonumber(hex, 16) == i * 7919 then back = back + 1 end
  end

  local points, reversed = 0, {}
  for _, code in utf8.codes(greeting) do
    points = points + code
    table.insert(reversed, 1, utf8.char(code))
  end
  local words = {}
  for w in (greeting .. " " .. blob:sub(1, 400):gsub("%W", " ")):gmatch("%a+") do
    words[w] = (words[w] or 0) + 1
  end
  local list = {}
  for w, n in pairs(words) do list[#list + 1] = w:rep(n, "-") end
  table.sort(list)

  print(string.format("round %d: %d characters, sum %d, %d failures, %d of 500 unpacked", round, length,
    sum, failures, back))
  print(string.format("  %s %q %d %s", table.concat(reversed), blob:sub(1, 3), points,
    table.concat(list, ","):upper():sub(-40)))
  io.stdout:flush()
end
