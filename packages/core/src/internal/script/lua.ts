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
