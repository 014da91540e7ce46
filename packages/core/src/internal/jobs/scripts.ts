/**
 * The changes of a job on the server, each in one step.
 *
 * - `ready`: a stream of the ids of jobs that wait for a worker or are with one.
 * - `delayed`: a sorted set of the ids of jobs that wait until they are due, scored by that time.
 * - `jobs`: a hash of all jobs by id. It holds how often a job was begun, its entry in `ready` or `-`, behind that and a
 *   colon the begin that it is with, and its payload: `2 5-0:x payload`, or `2 - payload` of one that no worker has. Old
 *   records have no begin.
 * - `dead`: a stream of jobs that were given up.
 *
 * Invariant: a job in `jobs` is in one of `ready` and `delayed`. An entry of `ready` that its job does not name
 * is left over from a cancelled job, and is ignored. Each begin has a text of its own. So one that is repeated, as its answer was
 * lost, counts once, and only the worker that began a job last decides its outcome. The number of a begin does not tell: a server
 * that took over without the last writes gives it out again.
 *
 * Another program may have written anything. What is no job counts as none, and no due time is so far away that a number of
 * milliseconds could not tell it: one such id would end all workers.
 *
 * A script that fails half way, as its user lacks a right, keeps what it has written. So a job is put where it goes before it
 * is taken from where it was. A server without memory refuses the first write of a script, unless that only removes
 * something: what brings jobs to an end begins with such a write, as a queue that fills the memory could not be emptied
 * otherwise.
 */
import type * as Effect from "effect/Effect"
import type { DataError } from "../../RedisError.ts"
import * as RedisReply from "../../RedisReply.ts"
import * as RedisScript from "../../RedisScript.ts"
import { readOptions } from "../argument/options.ts"
import { beside } from "../argument/slot.ts"
import * as Lua from "../script/lua.ts"

/** The group of workers. */
export const group = "workers"

interface Keys {
  readonly ready: string
  readonly delayed: string
  readonly jobs: string
  readonly dead: string
}

/** The keys of a queue, in one slot. */
const keysOf = (name: string): Keys => {
  const key = (suffix: string) => beside(name, suffix, "a queue of jobs")
  return { ready: key("ready"), delayed: key("delayed"), jobs: key("jobs"), dead: key("dead") }
}

/** Like `keysOf`, for the function `of`, which has no command that would refuse the name. */
export const located = (name: string, of: string): Effect.Effect<Keys, DataError> => readOptions(of, () => keysOf(name))

const keys = (name: string): ReadonlyArray<string> => {
  const { dead, delayed, jobs, ready } = keysOf(name)
  return [ready, delayed, jobs, dead]
}

const common = `local ready, delayed, jobs, dead = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
${Lua.milliseconds}${Lua.text}local function find(id)
  local job = redis.call("HGET", jobs, id)
  if not job then return nil end
  return string.match(job, "^(%d+) ([^%s:]+):?(%S*) (.*)$")
end
local function keep(id, begun, entry, by, payload)
  if by ~= "" then entry = entry .. ":" .. by end
  redis.call("HSET", jobs, id, begun .. " " .. entry .. " " .. payload)
end
local function wait(id, begun, payload, due)
  local entry = "-"
  if due > now then
    redis.call("ZADD", delayed, text(due), id)
  else
    entry = redis.call("XADD", ready, "*", "id", id)
  end
  keep(id, begun, entry, "", payload)
end
local function untilDue(due) return math.min(math.max(due - now, 0), ${Number.MAX_SAFE_INTEGER}) end
local function allowOutOfMemory() redis.call("XDEL", ready, "0-0") end
`

/**
 * Adds a job, unless there is one with the same id. `at`: the due time in unix milliseconds. `delay`: the milliseconds
 * until it.
 */
export const enqueue = RedisScript.make({
  name: "RedisJobs.enqueue",
  lua: `${common}if find(ARGV[1]) then return 0 end
wait(ARGV[1], "0", ARGV[2], ARGV[3] == "at" and tonumber(ARGV[4]) or now + tonumber(ARGV[4]))
return 1`,
  keys: (name: string, _id: string, _payload: string, _due: readonly ["at" | "delay", () => number]) => keys(name),
  args: (_name, id, payload, [mode, milliseconds]) => [id, payload, mode, milliseconds()],
  result: RedisReply.boolean
})

/** Makes due jobs ready, up to a limit; returns the milliseconds until the next job is due, or -1. */
export const promote = RedisScript.make({
  name: "RedisJobs.promote",
  lua: `${common}allowOutOfMemory()
for _, id in ipairs(redis.call("ZRANGEBYSCORE", delayed, "-inf", text(now), "LIMIT", 0, ARGV[1])) do
  local begun, _, _, payload = find(id)
  if begun then wait(id, begun, payload, now) end
  redis.call("ZREM", delayed, id)
end
local following = redis.call("ZRANGE", delayed, 0, 0, "WITHSCORES")[2]
return following and untilDue(following) or -1`,
  keys: (name: string, _limit: number) => keys(name),
  args: (_name, limit) => [limit],
  result: RedisReply.integer
})

/**
 * Begins a job; the same begin once more has no further effect. When the entry no longer belongs to the job, removes the entry and
 * returns nothing.
 */
export const begin = RedisScript.make({
  name: "RedisJobs.begin",
  lua: `${common}local begun, entry, by, payload = find(ARGV[1])
if entry ~= ARGV[2] then
  redis.call("XACK", ready, ARGV[3], ARGV[2])
  redis.call("XDEL", ready, ARGV[2])
  return nil
end
if by ~= ARGV[4] then
  begun = text(begun + 1)
  allowOutOfMemory()
  keep(ARGV[1], begun, entry, ARGV[4], payload)
end
return {tonumber(begun), payload}`,
  keys: (name: string, _id: string, _entry: string, _by: string) => keys(name),
  args: (_name, id, entry, by) => [id, entry, group, by],
  result: RedisReply.nullable(RedisReply.tuple(RedisReply.integer, RedisReply.text))
})

/** The longest delay in milliseconds, a thousand centuries: longer ones, added to the time, would not be whole numbers. */
export const longestDelay = 3_155_760_000_000_000

/** The outcome of a job that was begun. */
export type Outcome =
  | { readonly to: "done" }
  | { readonly to: "later"; readonly delay: number }
  | { readonly to: "dead"; readonly reason: string }

/** What the end of a job comes to, by the numbers that the script returns. */
const settlements = ["overtaken", "settled", "gone"] as const

/**
 * Ends a job that was begun. Returns `"overtaken"` when another worker has begun the job since; the job is then theirs, and
 * its entry stays pending. `"gone"`: another worker has ended it, the keys of the queue were deleted, or this is the second call,
 * which has no further effect. What was cancelled is settled. Where a server took over that does not know of the begin, and
 * nobody is at the job, the outcome counts.
 */
export const settle = RedisScript.make({
  name: "RedisJobs.settle",
  lua: `${common}local id, sent, outcome = ARGV[1], ARGV[2], ARGV[5]
local begun, entry, by, payload = find(id)
if entry == sent and by ~= ARGV[4] and by ~= "" then return 0 end
allowOutOfMemory()
if entry == sent then
  if outcome == "later" then
    wait(id, begun, payload, now + tonumber(ARGV[6]))
  else
    if outcome == "dead" then
      redis.call("XADD", dead, "*", "id", id, "payload", payload, "attempts", begun, "reason", ARGV[6])
    end
    redis.call("HDEL", jobs, id)
  end
end
local acknowledged = redis.call("XACK", ready, ARGV[3], sent)
redis.call("XDEL", ready, sent)
return (entry == sent or acknowledged == 1) and 1 or 2`,
  keys: (name: string, _id: string, _entry: string, _by: string, _outcome: Outcome) => keys(name),
  args: (_name, id, entry, by, outcome) => [
    id,
    entry,
    group,
    by,
    outcome.to,
    // The words of a failure may be cut in the middle of a character, which is not sent.
    outcome.to === "later" ? outcome.delay : outcome.to === "dead" ? outcome.reason.toWellFormed() : ""
  ],
  // The script returns no other numbers.
  result: RedisReply.map(RedisReply.integer, (number) => settlements[Number(number)]!)
})

/**
 * Removes a job; returns whether it existed. The entry of one that a worker is at stays until the worker settles it: when the worker
 * renews an entry that is deleted, servers take it for acknowledged, as if another worker had ended the job.
 */
export const cancel = RedisScript.make({
  name: "RedisJobs.cancel",
  lua: `${common}local _, entry, by = find(ARGV[1])
if not entry then return 0 end
redis.call("HDEL", jobs, ARGV[1])
redis.call("ZREM", delayed, ARGV[1])
if entry ~= "-" and by == "" then redis.call("XDEL", ready, entry) end
return 1`,
  keys: (name: string, _id: string) => keys(name),
  args: (_name, id) => [id],
  result: RedisReply.boolean
})

/**
 * Adds the job of a dead letter again, and removes the letter. Returns `false` when there is no letter, or already a
 * job with its id.
 */
export const revive = RedisScript.make({
  name: "RedisJobs.revive",
  lua: `${common}local letter = redis.call("XRANGE", dead, ARGV[1], ARGV[1])[1]
if not letter then return 0 end
local fields = {}
for i = 1, #letter[2], 2 do fields[letter[2][i]] = letter[2][i + 1] end
if find(fields.id) then return 0 end
wait(fields.id, "0", fields.payload, now)
return redis.call("XDEL", dead, ARGV[1])`,
  keys: (name: string, _letter: string) => keys(name),
  args: (_name, letter) => [letter],
  result: RedisReply.boolean
})

/** How often a job was begun, and the milliseconds until it is due, or -1 when it is ready. */
export const look = RedisScript.make({
  name: "RedisJobs.look",
  lua: `${common}local begun = find(ARGV[1])
if not begun then return nil end
local due = redis.call("ZSCORE", delayed, ARGV[1])
return {tonumber(begun), due and untilDue(due) or -1}`,
  keys: (name: string, _id: string) => keys(name),
  args: (_name, id) => [id],
  result: RedisReply.nullable(RedisReply.tuple(RedisReply.integer, RedisReply.integer))
})

/** The numbers of ready, running, delayed and dead jobs. A group that does not exist has no running jobs. */
export const count = RedisScript.make({
  name: "RedisJobs.count",
  lua: `${common}local pending = redis.pcall("XPENDING", ready, ARGV[1])
local running = not pending.err and pending[1] or 0
return {math.max(redis.call("XLEN", ready) - running, 0), running, redis.call("ZCARD", delayed), redis.call("XLEN", dead)}`,
  keys: (name: string) => keys(name),
  args: () => [group],
  result: RedisReply.tuple(RedisReply.integer, RedisReply.integer, RedisReply.integer, RedisReply.integer)
})

/**
 * Removes the workers from the group that have no job and were not heard of for so many milliseconds: a server keeps the name of
 * each consumer that there ever was. One that is only waiting comes back by its next read, so nothing is lost.
 */
export const forget = RedisScript.make({
  name: "RedisJobs.forget",
  lua: `${common}local workers = redis.pcall("XINFO", "CONSUMERS", ready, ARGV[1])
if workers.err then return 0 end
local forgotten = 0
for _, worker in ipairs(workers) do
  local facts = {}
  for i = 1, #worker, 2 do facts[worker[i]] = worker[i + 1] end
  if facts.pending == 0 and facts.idle >= tonumber(ARGV[2]) then
    redis.call("XGROUP", "DELCONSUMER", ready, ARGV[1], facts.name)
    forgotten = forgotten + 1
  end
end
return forgotten`,
  keys: (name: string, _idle: number) => keys(name),
  args: (_name, idle) => [group, idle],
  result: RedisReply.integer
})
