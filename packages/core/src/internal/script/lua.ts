/**
 * What scripts begin with.
 */

/** `now`: the time of the server, in whole milliseconds. */
export const milliseconds = `local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`

/** `now` in microseconds, which Lua's numbers hold exactly. */
export const microseconds = `local time = redis.call("TIME")
local now = time[1] * 1000000 + time[2]
`

/** `text`: a whole number in all its digits. As text Lua gives 14. */
export const text = `local function text(number) return string.format("%.0f", number) end
`

/**
 * Tries a write before something is deleted for it, so that a server that refuses it, for want of a right or of memory, has done nothing:
 * it does not ask for memory after the first write of a script. That the key holds another type is no refusal. Redis 6 loses the code
 * of an error that a script returns, so it is raised.
 */
export const tried = (write: string): string =>
  `local function try(call) return call(${write}) end
local tried = try(redis.pcall)
if type(tried) == "table" and tried.err and string.sub(tried.err, 1, 9) ~= "WRONGTYPE" then try(redis.call) end
`
