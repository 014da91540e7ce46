/**
 * The permits of several holders at a time: a sorted set of the tokens of the holders, by the ends of their leases.
 *
 * All of it is `ordered`, as with locks. Times are whole milliseconds of the server's clock.
 */
import * as Effect from "effect/Effect"
import * as RedisReply from "../../RedisReply.ts"
import * as RedisScript from "../../RedisScript.ts"
import * as Lua from "../script/lua.ts"
import type { Taken, Ways } from "./lease.ts"
import { byToken, extending } from "./tokenScripts.ts"

/** Drops the leases that have ended; the key lives as long as the last lease. What only looks drops nothing: see `taken`. */
const lasting = `${Lua.milliseconds}${Lua.text}redis.call("ZREMRANGEBYSCORE", KEYS[1], "-inf", text(now))
local function lease(token, milliseconds)
  redis.call("ZADD", KEYS[1], text(now + milliseconds), token)
  local last = redis.call("ZRANGE", KEYS[1], -1, -1, "WITHSCORES")
  redis.call("PEXPIREAT", KEYS[1], text(last[2]))
  return 1
end
`

const acquire = RedisScript.make({
  name: "RedisSemaphore.acquire",
  lua: `${lasting}local free = tonumber(ARGV[2]) - redis.call("ZCARD", KEYS[1])
if free <= 0 then return 0 end
lease(ARGV[1], tonumber(ARGV[3]))
return free`,
  keys: (name: string, _token: string, _permits: number, _ttl: number) => [name],
  args: (_name, token, permits, ttl) => [token, permits, ttl],
  result: RedisReply.map(
    RedisReply.integer,
    (free): Taken | undefined => Number(free) > 0 ? { fencingToken: undefined, left: Number(free) - 1 } : undefined
  ),
  ordered: true
})

const release = byToken(
  "RedisSemaphore.release",
  `${lasting}return redis.call("ZREM", KEYS[1], ARGV[1])`
)

const extend = extending(
  "RedisSemaphore.extend",
  `${lasting}local ends = redis.call("ZSCORE", KEYS[1], ARGV[1])
if not ends then return 0 end
local left, milliseconds = ends - now, tonumber(ARGV[2])
if ARGV[3] == "add" then milliseconds = left + milliseconds end
if ARGV[3] == "atLeast" and left > milliseconds then return 1 end
return lease(ARGV[1], milliseconds)`
)

const owned = byToken(
  "RedisSemaphore.owned",
  `${Lua.milliseconds}local ends = redis.call("ZSCORE", KEYS[1], ARGV[1])
return ends and tonumber(ends) > now and 1 or 0`
)

/** The number of permits that are taken. It writes nothing, so that it can be told where a server takes no writes. */
export const taken = RedisScript.make({
  name: "RedisSemaphore.taken",
  lua: `${Lua.milliseconds}${Lua.text}return redis.call("ZCOUNT", KEYS[1], "(" .. text(now), "+inf")`,
  keys: (name: string) => [name],
  result: RedisReply.integer,
  ordered: true
})

export const ways = (name: string, permits: number, ttl: number): Ways => ({
  most: permits,
  acquire: (token) => acquire(name, token, permits, ttl),
  release: (token) => release(name, token),
  extend: (token, milliseconds, mode) => extend(name, token, milliseconds, mode),
  owned: (token) => owned(name, token),
  locked: Effect.map(taken(name), (count) => count >= permits)
})
