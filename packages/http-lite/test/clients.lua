-- For wrk: GET and POST in turn, four at a time on each connection, and each reply checked. clients-load.test.ts reads the last line.
local threads = {}
local expected = { "hello /a ", "a=1&b=2" }

function setup(thread)
  table.insert(threads, thread)
end

function init()
  right, wrong = 0, 0
  local get = wrk.format("GET", "/a")
  local post = wrk.format("POST", "/", { ["Content-Type"] = "text/plain" }, "a=1&b=2")
  batch = get .. post .. get .. post
end

function request()
  return batch
end

function response(status, headers, body)
  if status == 200 and (body == expected[1] or body == expected[2]) then
    right = right + 1
  else
    wrong = wrong + 1
  end
end

function done()
  local right, wrong = 0, 0
  for _, thread in ipairs(threads) do
    right = right + thread:get("right")
    wrong = wrong + thread:get("wrong")
  end
  print(string.format("right %d, wrong %d", right, wrong))
end
