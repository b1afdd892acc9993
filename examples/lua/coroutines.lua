-- Coroutines, pcall and error, metatables, closures and garbage. lua coroutines.lua [ROUNDS]
local rounds = tonumber(arg[1]) or 20

local function tree(depth)
  if depth == 0 then return nil end
  return { left = tree(depth - 1), key = depth, right = tree(depth - 1) }
end

local function walk(t)
  if t then
    walk(t.left)
    coroutine.yield(t.key)
    walk(t.right)
  end
end

local Vec = {}
Vec.__index = Vec
Vec.__add = function(a, b) return setmetatable({ x = a.x + b.x, y = a.y + b.y }, Vec) end
Vec.__tostring = function(v) return string.format("(%g, %g)", v.x, v.y) end

local errors = 0
local function risky(n)
  if n % 3 == 0 then error({ code = n }) end
  if n % 3 == 1 then error("plain " .. n) end
  return n
end

for round = 1, rounds do
  local sum, count = 0, 0
  for key in coroutine.wrap(function() walk(tree(10)) end) do
    sum, count = sum + key, count + 1
  end
  local codes = 0
  for i = 1, 3000 do
    local ok, err = pcall(risky, i)
    if not ok then
      errors = errors + 1
      codes = codes + (type(err) == "table" and err.code or #err)
    end
  end
  local v = setmetatable({ x = 0, y = 0 }, Vec)
  for i = 1, 2000 do v = v + setmetatable({ x = i, y = 1 / i }, Vec) end
  print(string.format("round %d: %d nodes, sum %d, errors %d, codes %d, vector %s", round, count, sum,
    errors, codes, tostring(v)))
  io.stdout:flush()
end
