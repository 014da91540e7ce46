/**
 * How long an answer is true although nobody changes it: servers remove late what has expired, and tell of it then.
 */
import { pttl } from "../../commands/Expiration.ts"
import * as RedisCommand from "../../RedisCommand.ts"
import * as RedisReply from "../../RedisReply.ts"
import * as Resp from "../../Resp.ts"
import { isReadonlyArray } from "../argument/isReadonlyArray.ts"
import type { Tracking } from "../tracking/tracking.ts"

/**
 * The commands that ask how long the keys of a command still live, and the fields that it names. Nothing tells that of all
 * fields of a hash: an answer of HGETALL is old until the server has removed what expired.
 */
export const asking = (command: RedisCommand.Any, { timesFields }: Tracking): ReadonlyArray<RedisCommand.Any> => {
  const ofKeys = RedisCommand.keys(command).map((key) => pttl(key))
  return timesFields && naming.has(command.spec.capitals) ? [...ofKeys, ofFields(command)] : ofKeys
}

/** The commands whose answer depends on the fields behind the key alone. */
const naming: ReadonlySet<string> = new Set(["HEXISTS", "HGET", "HMGET", "HSTRLEN"])

const hpttl = new RedisCommand.Spec("HPTTL", ["readonly"])

const ofFields = ({ parts: [key, ...fields] }: RedisCommand.Any): RedisCommand.Any =>
  // These commands begin with their key.
  RedisCommand.make({ spec: hpttl, args: () => [key!, "FIELDS", fields.length, ...fields], reply: RedisReply.raw })

/** The milliseconds that an answer to one of these commands says, infinite when it limits nothing. */
export const said = (answer: Resp.Value): number =>
  isReadonlyArray(answer)
    // An answer may have more elements than a call takes arguments.
    ? answer.reduce<number>((least, each) => Math.min(least, said(each)), Infinity)
    : typeof answer === "number" && answer >= 0
    ? answer
    : Infinity

/** Learns whether the server can be asked for fields: older ones cannot, and not every user may. */
export const learn = (asked: RedisCommand.Any, answer: Resp.Value, tracking: Tracking | undefined): void => {
  if (asked.spec !== hpttl || tracking === undefined || !(answer instanceof Resp.ErrorReply)) return
  if (answer.code === "ERR" || answer.code === "NOPERM") tracking.timesFields = false
}
