/**
 * The steps of a cache on the server, which go by the server's clock.
 *
 * An entry is a hash: the value, until when it counts, and the lease of the caller that loads it anew. As the lease is in
 * the entry itself, whatever replaces or deletes the key ends the lease with it: a load that began before stores nothing.
 * And as it is one key, there is no second one to be found in its slot.
 *
 * `value` is absent where the known thing is that there is none. `version` is the token of the write. `fresh` and `until`
 * are when the entry is to be renewed, and when it does not count any more; `took` is how long its load did. `lease` is a
 * token, and `leased` when it ends. All times are whole milliseconds. The key lives for as long as there is anything in it
 * that counts.
 *
 * All of it is `ordered`: where connections are shared, what undoes an attempt comes after the attempt.
 */
import * as RedisReply from "../../RedisReply.ts"
import * as RedisScript from "../../RedisScript.ts"
import * as Lua from "../script/lua.ts"

const clock = `${Lua.milliseconds}${Lua.text}`

/** The longest span in milliseconds, some thousand years, with which scripts count exactly. */
export const longest = 1e14

/** The milliseconds for which an entry whose load has just failed is not renewed. */
const pauseOfRenewal = 1000

/**
 * A time or a span of an entry. Another program may have written anything, and the clock may have been set back. A time that is further
 * ahead than one that is written counts as old: a script that fails would fail all readers for as long as the key lives, and a lease
 * would be waited for as long.
 */
const number = `local function number(field, most)
  local found = tonumber(field or 0)
  return found and found <= now + (most or ${longest}) and found or 0
end
`

/**
 * The facts about an entry that a look found.
 *
 * - `now`: the server's time. `known`: whether there is an entry that counts. `value`: absent where that is what is known.
 * - `lease`: whether there is none, it was granted to this caller, or another has it.
 */
export interface Found {
  readonly now: number
  readonly known: boolean
  readonly lease: "none" | "granted" | "taken"
  readonly version: Uint8Array | undefined
  readonly value: Uint8Array | undefined
}

const integer = RedisReply.integer
const leases = ["none", "granted", "taken"] as const

const found: RedisReply.Reply<Found> = RedisReply.map(
  RedisReply.tuple(
    integer,
    integer,
    integer,
    RedisReply.nullable(RedisReply.bytes),
    RedisReply.nullable(RedisReply.bytes)
  ),
  ([now, known, lease, version, value]): Found => ({
    now: Number(now),
    known: Number(known) === 1,
    // The script returns no other numbers.
    lease: leases[Number(lease)]!,
    // The client makes versions, of ASCII alone. Another program may have stored anything, so it is not read.
    version,
    value
  })
)

/**
 * A look at an entry.
 *
 * - `token`: what to lease with; an empty one takes no lease.
 * - `lease`: for how many milliseconds. A lease of another that is longer is none.
 * - `spread`: how many times its own load an entry is renewed early.
 * - `refused`: a version that does not count.
 */
export interface Look {
  readonly token: string
  readonly lease: number
  readonly spread: number
  readonly refused: Uint8Array | undefined
}

/** Whether a server refuses writes for now, and is asked in the right place: of a replica the error is told. */
const refusals = `local function takesNoWrites(message)
  for _, code in ipairs({"OOM", "MISCONF", "NOREPLICAS"}) do
    if string.find(message, code, 1, true) then return true end
  end
end
`

/**
 * Looks an entry up, and takes the lease where it is to be loaded and nobody does so. An entry that counts is answered also by
 * a server that takes no writes for now; it is renewed later. Redis 6 would lose the code of an error of HMGET that the script
 * raises, so that is returned; and of one of HSET that it returns, so that is raised.
 */
export const look = RedisScript.make({
  name: "RedisKeyspace.look",
  lua:
    `${clock}${number}${refusals}local entry = redis.pcall("HMGET", KEYS[1], "version", "value", "fresh", "until", "took", "lease", "leased")
if entry.err then return entry end
local version, value, lasts = entry[1], entry[2], number(entry[4])
local known = version and version ~= ARGV[4] and lasts > now
local leased = entry[6] and number(entry[7], math.max(ARGV[2], ${pauseOfRenewal})) > now
local lease = leased and 2 or 0
local due = not known or now + number(entry[5]) * ARGV[3] >= number(entry[3])
if due and not leased and ARGV[1] ~= "" then
  local ends = now + ARGV[2]
  local function take(call) return call("HSET", KEYS[1], "lease", ARGV[1], "leased", text(ends)) end
  local taken = take(known and redis.pcall or redis.call)
  if type(taken) == "number" then
    redis.call("PEXPIREAT", KEYS[1], text(math.max(ends, lasts)))
    lease = 1
  elseif not takesNoWrites(taken.err) then
    take(redis.call)
  end
end
return {now, known and 1 or 0, lease, known and version, known and value}`,
  keys: (key: string, _look: Look) => [key],
  args: (_key, { lease, refused, spread, token }) => [token, lease, spread, refused ?? ""],
  result: found,
  ordered: true
})

/**
 * An entry to write.
 *
 * - `version`: a token of its own, or that of the lease by which it was loaded.
 * - `fresh`, `keep`: for how long, in milliseconds. `took`: how long its load did.
 */
export interface Entry {
  readonly version: string
  readonly fresh: number
  readonly keep: number
  readonly took: number
  readonly value: Uint8Array | undefined
}

/** A script that writes an entry; returns whether it did. */
const writing = (name: string, lua: string) =>
  RedisScript.make({
    name,
    lua,
    keys: (key: string, _entry: Entry) => [key],
    args: (_key, { fresh, keep, took, value, version }) => {
      const facts = [version, fresh, keep, took]
      return value === undefined ? facts : [...facts, value]
    },
    result: RedisReply.boolean,
    ordered: true
  })

/** Writes an entry. DEL comes first, so that a key of another type is replaced, as SET does. */
const write = `redis.call("DEL", KEYS[1])
redis.call("HSET", KEYS[1], "version", ARGV[1], "fresh", text(now + ARGV[2]), "until", text(now + ARGV[3]), "took", ARGV[4])
if ARGV[5] then redis.call("HSET", KEYS[1], "value", ARGV[5]) end
redis.call("PEXPIREAT", KEYS[1], text(now + ARGV[3]))
return 1`

/**
 * Stores a value that was loaded if the lease still holds, or if the value was stored already; returns whether it was
 * stored.
 */
export const store = writing(
  "RedisKeyspace.store",
  `${clock}if redis.call("TYPE", KEYS[1]).ok ~= "hash" then return 0 end
local entry = redis.call("HMGET", KEYS[1], "lease", "version")
if entry[2] == ARGV[1] then return 1 end
if entry[1] ~= ARGV[1] then return 0 end
${write}`
)

/** Writes an entry over whatever the key holds. What is loaded had memory for its lease; this has to ask for it. */
export const put = writing(
  "RedisKeyspace.put",
  `${clock}${Lua.tried(`"HSET", KEYS[1], "version", ARGV[1]`)}${write}`
)

/**
 * Gives a lease back; returns whether it still held. An entry that still counts is not renewed for a while: its load has just
 * failed.
 */
export const release = RedisScript.make({
  name: "RedisKeyspace.release",
  lua: `${clock}${number}if redis.call("TYPE", KEYS[1]).ok ~= "hash" then return 0 end
local entry = redis.call("HMGET", KEYS[1], "lease", "version", "until")
if entry[1] ~= ARGV[1] then return 0 end
local lasts = number(entry[3])
if entry[2] and lasts > now then
  redis.call("HSET", KEYS[1], "lease", "", "leased", text(now + ${pauseOfRenewal}))
  redis.call("PEXPIREAT", KEYS[1], text(lasts))
else
  redis.call("DEL", KEYS[1])
end
return 1`,
  keys: (key: string, _token: string) => [key],
  args: (_key, token) => [token],
  result: RedisReply.boolean,
  ordered: true
})
