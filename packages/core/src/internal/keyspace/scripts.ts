/**
 * Writes of several steps, which a script does in one.
 */
import * as RedisArg from "../../RedisArg.ts"
import * as RedisCommand from "../../RedisCommand.ts"
import * as RedisReply from "../../RedisReply.ts"
import { scriptSpec } from "../script/calls.ts"
import * as Lua from "../script/lua.ts"
import { sha1 } from "../script/sha1.ts"

type ScriptOf = <A, BigInts>(
  key: RedisArg.Key,
  args: () => ReadonlyArray<RedisArg.Arg>,
  reply: RedisReply.Reply<A, A, BigInts>
) => RedisCommand.RedisCommand<A, A, BigInts>

/** A script about one key, by the name of the operation. */
const scriptOf = (operation: string, lua: string): ScriptOf => {
  const digest = sha1(lua)
  const spec = scriptSpec("EVALSHA", [], { lua, name: `RedisKeyspace.${operation}`, sha1: digest })
  return (key, args, reply) => RedisCommand.make({ spec, args: () => [digest, 1, RedisArg.key(key), ...args()], reply })
}

/**
 * Ends a script whose user may not run what comes after its first write: that would stay, as servers undo nothing. Before Redis 7.0
 * they cannot be asked.
 */
const permitted = (name: string, call: string): string =>
  `if redis.acl_check_cmd and not redis.acl_check_cmd(${call}) then
  return redis.error_reply("NOPERM this user has no permissions to run the '${name}' command, which is needed as well")
end
`

/**
 * Runs a write and sets the time to live afterwards, only if the write succeeded: a transaction would also give that
 * time to a key that holds something else. Lua takes some thousand arguments at a time, so a long write becomes
 * several, whose numbers are added up.
 */
const expiring = scriptOf(
  "expiringAfter",
  `${permitted("pexpire", `"PEXPIRE", KEYS[1], ARGV[1]`)}local result = 0
for first = 3, #ARGV, 4000 do
  local reply = redis.pcall(ARGV[2], KEYS[1], unpack(ARGV, first, math.min(first + 3999, #ARGV)))
  if type(reply) == "table" and reply.err then return reply end
  result = first == 3 and reply or result + reply
end
redis.call("PEXPIRE", KEYS[1], ARGV[1])
return result`
)

/** The same write, which also gives its key a time to live. The key is the first argument. */
export const expiringAfter = <A, BigInts>(
  key: RedisArg.Key,
  ttl: RedisArg.TimeToLive,
  write: RedisCommand.RedisCommand<A, A, BigInts>
): RedisCommand.RedisCommand<A, A, BigInts> =>
  expiring(
    key,
    () => [RedisArg.milliseconds(ttl), write.spec.name, ...write.parts.slice(1)],
    // The reply is that of the write, and a command has the types of its decoder.
    write.reply as RedisReply.Reply<A, A, BigInts>
  )

/** Where there is something already, the first changes nothing, and its kind is for INCRBY to judge. */
const counting = scriptOf(
  "increment",
  `redis.call("SET", KEYS[1], 0, "PX", ARGV[1], "NX")
return redis.pcall("INCRBY", KEYS[1], ARGV[2])`
)

/** Adds to a counter, which lives for so long from its first increment on. */
export const countingIn = (
  key: RedisArg.Key,
  ttl: RedisArg.TimeToLive,
  by: number
): RedisCommand.RedisCommand<number, number, bigint> =>
  counting(key, () => [RedisArg.milliseconds(ttl), by], RedisReply.integer)

/**
 * Deletes what there is and writes anew. Lua takes some thousand arguments at a time, an even number of them, as fields and scores
 * come in pairs.
 */
const replacing = scriptOf(
  "set",
  `${permitted("del", `"DEL", KEYS[1]`)}if ARGV[1] ~= "" then
${permitted("pexpire", `"PEXPIRE", KEYS[1], ARGV[1]`)}end
${Lua.tried("ARGV[2], KEYS[1], unpack(ARGV, 3, math.min(4, #ARGV))")}redis.call("DEL", KEYS[1])
for first = 3, #ARGV, 4000 do redis.call(ARGV[2], KEYS[1], unpack(ARGV, first, math.min(first + 3999, #ARGV))) end
if ARGV[1] ~= "" then redis.call("PEXPIRE", KEYS[1], ARGV[1]) end
return 1`
)

/** A write in the place of what its key holds, which is gone before. The key is the first argument. */
export const replacingIn = (
  key: RedisArg.Key,
  ttl: RedisArg.TimeToLive | undefined,
  write: RedisCommand.Any
): RedisCommand.RedisCommand<boolean, boolean, boolean> =>
  replacing(
    key,
    () => [ttl === undefined ? "" : RedisArg.milliseconds(ttl), write.spec.name, ...write.parts.slice(1)],
    RedisReply.boolean
  )
