/**
 * Moves an entry that cannot be handled to a separate stream, in one step.
 */
import * as Cause from "effect/Cause"
import { format } from "effect/Formatter"
import type * as RedisArg from "../../RedisArg.ts"
import * as RedisReply from "../../RedisReply.ts"
import * as RedisScript from "../../RedisScript.ts"

/** An entry, and the facts that its dead letter records. */
export interface Letter {
  readonly id: string
  readonly group: RedisArg.Key
  readonly consumer: RedisArg.Key
  readonly deliveries: number
  readonly reason: string
}

/**
 * Adds a dead letter and acknowledges the entry. Does nothing for an entry that is no longer pending, as another
 * consumer has dealt with it. An entry of more than 3,000 fields becomes several letters: Lua unpacks less than 8,000
 * values, and Redis 6 breaks down when a script puts together more arguments in another way. An entry that was deleted is
 * only acknowledged. An error, such as that of a key which is not a stream, ends the script before the entry is
 * acknowledged. Without an id the script does nothing; such a call only checks that it can run.
 */
export const bury = RedisScript.make({
  name: "RedisStream.bury",
  lua: `local id, group = ARGV[1], ARGV[2]
if id == "" then return 0 end
if #redis.call("XPENDING", KEYS[1], group, id, id, 1) == 0 then return 0 end
local entry = redis.call("XRANGE", KEYS[1], id, id)[1]
if entry then
  local fields = entry[2]
  local parts = math.ceil(#fields / 6000)
  for part = 1, parts do
    local letter = {unpack(fields, part * 6000 - 5999, math.min(part * 6000, #fields))}
    local facts = {"stream", KEYS[1], "id", id, "group", group, "consumer", ARGV[3], "deliveries", ARGV[4], "reason", ARGV[5]}
    if parts > 1 then
      facts[#facts + 1] = "part"
      facts[#facts + 1] = part .. "/" .. parts
    end
    for i = 1, #facts, 2 do
      letter[#letter + 1] = "dead-letter:" .. facts[i]
      letter[#letter + 1] = facts[i + 1]
    end
    redis.call("XADD", KEYS[2], "*", unpack(letter))
  end
end
return redis.call("XACK", KEYS[1], group, id)`,
  keys: (stream: RedisArg.Key, deadLetter: RedisArg.Key, _letter: Letter) => [stream, deadLetter],
  // The words of a failure may be cut in the middle of a character, which is not sent.
  args: (
    _stream,
    _deadLetter,
    { consumer, deliveries, group, id, reason }
  ) => [id, group, consumer, deliveries, reason.toWellFormed()],
  result: RedisReply.integer
})

/** The reason that a dead letter gives for a failure. */
export const reasonOf = (cause: Cause.Cause<unknown>): string => textOf(Cause.squash(cause))

const textOf = (error: unknown): string => {
  // What Effect.try and Effect.tryPromise make of an error says nothing itself.
  if (Cause.isUnknownError(error) && error.message.startsWith("An error occurred in Effect.")) {
    return textOf(error.cause)
  }
  if (typeof error === "string") return error
  if (!(error instanceof Error)) return format(error)
  const fields = { ...error }
  // A tagged error often says what it has to say by its fields alone.
  const says = error.message === "" && Object.keys(fields).length > 0 ? format(fields) : error.message
  return `${error.name}: ${says}`
}
