/**
 * The decisions of rate limiters, each made in one step on the server, by whose clock they go.
 *
 * Times are whole microseconds.
 * A server may take over whose clock is behind. What is stored then counts from now on, for what it has left at the most
 * a window: otherwise everybody would wait until the clock has caught up.
 */
import * as Duration from "effect/Duration"
import type { RedisCommand } from "../../RedisCommand.ts"
import * as RedisReply from "../../RedisReply.ts"
import * as RedisScript from "../../RedisScript.ts"
import * as Lua from "../script/lua.ts"

/** The decision of a limiter. */
interface Decided {
  readonly allowed: boolean
  readonly remaining: number
  readonly retryAfter: Duration.Duration
  readonly resetAfter: Duration.Duration
}

const integer = RedisReply.integer

/**
 * A decision, and the milliseconds until there is enough for what costs as much: for the next one, where this was allowed.
 * The numbers are read in every view, because a decision has no text.
 */
const taking: RedisReply.Reply<Taking> = RedisReply.map(
  RedisReply.tuple(integer, integer, integer, integer),
  ([allowed, remaining, pause, resetAfter]) => ({
    decision: {
      allowed: Number(allowed) === 1,
      remaining: Number(remaining),
      retryAfter: Number(allowed) === 1 ? Duration.zero : microseconds(pause),
      resetAfter: microseconds(resetAfter)
    },
    pause: Number(pause) / 1000
  })
)

export interface Taking {
  readonly decision: Decided
  readonly pause: number
}

const decision: RedisReply.Reply<Decided> = RedisReply.map(taking, ({ decision }) => decision)

const microseconds = (time: number | bigint): Duration.Duration => Duration.micros(BigInt(time))

const clock = `${Lua.text}${Lua.microseconds}`

/**
 * The arguments of a call, which are checked when it is sent: two for the limiter, the cost, and whether that counts, or
 * is only asked for.
 */
type Asked = () => readonly [number, number, cost: number, counts: 0 | 1]

/** The script of a limiter, as a command of programs and as a line reads it. The key is checked with the arguments. */
export interface Limiter {
  readonly decide: (key: () => string, asked: Asked) => RedisCommand<Decided, Decided, Decided>
  readonly inLine: (key: () => string, asked: Asked) => RedisCommand<Taking, Taking, Taking>
}

const limiter = (name: string, lua: string): Limiter => {
  const reading = <A>(result: RedisReply.Reply<A>) =>
    RedisScript.make({
      name,
      lua,
      keys: (key: () => string, _asked: Asked) => [key()],
      args: (_key, asked) => asked(),
      result
    })
  return { decide: reading(decision), inLine: reading(taking) }
}

/**
 * A token bucket. A key holds how many tokens there were, and when; the tokens that came since are added at the next
 * look. Rounding may lose up to a billionth of a token. Another program may have written anything: no tokens are the least that there
 * can be, so that nobody waits for longer than it takes to fill a bucket.
 */
export const tokenBucket = limiter(
  "RedisRateLimiter.tokenBucket",
  `${clock}local capacity, interval, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local stored = redis.call("HMGET", KEYS[1], "tokens", "at")
local tokens, at = tonumber(stored[1]) or capacity, tonumber(stored[2]) or now
tokens = math.min(capacity, math.max(0, tokens) + math.max(now - at, 0) / interval)
local allowed = cost <= tokens + 1e-9
local takes = allowed and ARGV[4] == "1"
if takes then tokens = math.max(tokens - cost, 0) end
local untilNext = cost <= tokens + 1e-9 and 0 or math.ceil((cost - tokens) * interval)
local untilFull = math.ceil((capacity - tokens) * interval)
if takes or at > now then
  redis.call("HSET", KEYS[1], "tokens", string.format("%.17g", tokens), "at", text(now))
  redis.call("PEXPIRE", KEYS[1], text(math.max(math.ceil(untilFull / 1000), 1)))
end
return {allowed and 1 or 0, math.floor(tokens + 1e-9), untilNext, untilFull}`
)

/**
 * A sliding window. A sorted set holds what was taken, ordered by time. Each member says how much was taken up to and
 * with it since the set was empty, and how much by itself, so the use is the difference between the last and the first
 * member, however many are between them. The sum has leading zeros, which keep members of one microsecond in order.
 */
export const slidingWindow = limiter(
  "RedisRateLimiter.slidingWindow",
  `${clock}local limit, window, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local function since(sum, earlier) return (sum - earlier) % 1e15 end
local function parts(member)
  local sum, amount = string.match(member, "^(%d+):(%d+)$")
  return tonumber(sum) % 1e15, tonumber(amount)
end
local function at(rank)
  local found = redis.call("ZRANGE", KEYS[1], rank, rank, "WITHSCORES")
  return found[1], tonumber(found[2])
end
local newest, newestAt = at(-1)
if newest and newestAt > now then
  local behind = text(now - newestAt)
  for _, member in ipairs(redis.call("ZRANGE", KEYS[1], 0, -1)) do redis.call("ZINCRBY", KEYS[1], behind, member) end
  redis.call("PEXPIRE", KEYS[1], text(math.ceil(window / 1000)))
  newestAt = now
end
redis.call("ZREMRANGEBYSCORE", KEYS[1], "-inf", text(now - window))
local first = at(0)
local sum, used = 0, 0
if first then
  sum = parts(newest)
  local firstSum, firstAmount = parts(first)
  used = since(sum, firstSum) + firstAmount
end
local allowed = used + cost <= limit
if allowed and ARGV[4] == "1" then
  sum, used, newestAt, first = (sum + cost) % 1e15, used + cost, now, true
  redis.call("ZADD", KEYS[1], text(now), string.format("%016.0f:%.0f", sum, cost))
  redis.call("PEXPIRE", KEYS[1], text(math.ceil(window / 1000)))
end
local untilNext = 0
if used + cost > limit then
  local low, high = 0, redis.call("ZCARD", KEYS[1]) - 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    if since(sum, (parts((at(middle))))) + cost <= limit then high = middle else low = middle + 1 end
  end
  local _, freedAt = at(low)
  untilNext = freedAt + window - now
end
return {allowed and 1 or 0, math.max(limit - used, 0), untilNext, first and newestAt + window - now or 0}`
)
