-- n queens by recursion and closures: counts the solutions, prints each first row's share.
-- lua nqueens.lua [N]
local n = tonumber(arg[1]) or 8
local column, rising, falling = {}, {}, {}

local function place(row, found)
  if row > n then return found() end
  for c = 1, n do
    local up, down = row + c, row - c + n
    if not (column[c] or rising[up] or falling[down]) then
      column[c], rising[up], falling[down] = true, true, true
      place(row + 1, found)
      column[c], rising[up], falling[down] = nil, nil, nil
    end
  end
end

local total = 0
for c = 1, n do
  local here = 0
  column[c], rising[1 + c], falling[1 - c + n] = true, true, true
  place(2, function() here = here + 1 end)
  column[c], rising[1 + c], falling[1 - c + n] = nil, nil, nil
  total = total + here
  print(string.format("first queen in column %d: %d solutions", c, here))
  io.stdout:flush()
end
print(string.format("%d queens: %d solutions", n, total))
