-- Sends the same request several times at once (HTTP pipelining, RFC 9112 section 9.3.2).
-- The depth is wrk's first argument after "--".
init = function(args)
  local depth = tonumber(args[1])
  batch = string.rep(wrk.format(), depth)
end

request = function()
  return batch
end
