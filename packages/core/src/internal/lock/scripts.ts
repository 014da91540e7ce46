/**
 * The steps of locks on the server: each looks at the holder of the lock and acts on it, at once. All of it is `ordered`, see
 * tokenScripts.ts.
 */
import * as RedisArg from "../../RedisArg.ts"
import * as RedisCommand from "../../RedisCommand.ts"
import * as RedisReply from "../../RedisReply.ts"
import * as RedisScript from "../../RedisScript.ts"
import { KeyBeside } from "../argument/slot.ts"
import * as Lua from "../script/lua.ts"
import type { Taken } from "./lease.ts"
import { byToken, extending } from "./tokenScripts.ts"

/** There is no more than one lock. */
const taken = (fencingToken: number | undefined): Taken => ({ fencingToken, left: 0 })

const acquireSpec = new RedisCommand.Spec("SET", ["ordered"])

/** Takes the lock; returns whether it was free. */
export const acquire = (name: string, token: string, milliseconds: number | undefined) =>
  RedisCommand.make({
    spec: acquireSpec,
    args: () => [
      RedisArg.key(name),
      token,
      "NX",
      RedisArg.option("PX", milliseconds)
    ],
    reply: RedisReply.map(RedisReply.ok, (isTaken) => isTaken ? taken(undefined) : undefined)
  })

/**
 * Takes the lock and the next number of its counter, or returns 0. The counter
 * goes first: when it cannot be incremented, nothing is taken.
 *
 * The number is not below the microseconds of the server's clock. A counter that a failover or an eviction has set back, or that is
 * gone, goes on above the numbers that it gave before.
 */
export const acquireFenced = RedisScript.make({
  name: "RedisLock.acquire",
  lua: `if redis.call("EXISTS", KEYS[1]) == 1 then return 0 end
${Lua.microseconds}${Lua.text}local fencingToken = redis.call("INCR", KEYS[2])
if fencingToken < now then
  fencingToken = now
  redis.call("SET", KEYS[2], text(now))
end
if ARGV[2] == "0" then
  redis.call("SET", KEYS[1], ARGV[1])
else
  redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[2])
end
return fencingToken`,
  keys: (name: string, _token: string, _milliseconds: number) => [name, counterOf(name)],
  args: (_name, token, milliseconds) => [token, milliseconds],
  result: RedisReply.map(
    RedisReply.integer,
    (fencingToken) => Number(fencingToken) === 0 ? undefined : taken(Number(fencingToken))
  ),
  ordered: true
})

/** Deletes the lock if it has this token; returns whether it had. */
export const release = byToken(
  "RedisLock.release",
  `if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call("DEL", KEYS[1])`
)

/** Changes the time to live of a lock if it has the token and a time; returns whether it did. */
export const extend = extending(
  "RedisLock.extend",
  `if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
local left = redis.call("PTTL", KEYS[1])
if left < 0 then return 0 end
local milliseconds = tonumber(ARGV[2])
if ARGV[3] == "add" then milliseconds = left + milliseconds end
if ARGV[3] == "atLeast" and left > milliseconds then return 1 end
return redis.call("PEXPIRE", KEYS[1], milliseconds)`
)

/** The key of the counter for a lock's fencing tokens, in the hash slot of the lock. */
export const counterOf = (name: string): RedisArg.KeyArg => new KeyBeside(name, "fence", "a lock with fencing tokens")
