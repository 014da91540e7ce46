/**
 * What stands where only a command may stand. The types say so, but programs are also written without them.
 */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as RedisArg from "../../RedisArg.ts"
import * as RedisReply from "../../RedisReply.ts"
import { CommandImpl, TypeId } from "./impl.ts"
import { Spec } from "./spec.ts"

/** The command; for anything else a command that is not sent and fails with what to give instead. */
export const commandIn = (value: unknown): CommandImpl =>
  Predicate.hasProperty(value, TypeId)
    // Only commands have it.
    ? value as unknown as CommandImpl
    : new CommandImpl(spec, [], RedisReply.raw, RedisReply.textView, new RedisArg.InvalidArgument(advice(value)))

const spec = new Spec("COMMAND", ["readonly"])

const advice = (value: unknown): string =>
  Effect.isEffect(value)
    ? "an effect is given where a command is wanted; give what Redis.get and its kind return, and change the result afterwards"
    : Predicate.hasProperty(value, "then")
    ? "a promise is given where a command is wanted; give the value Redis.get(key), which runs nothing by itself"
    : `${
      value === null || value === undefined ? String(value) : `a value of the type ${typeof value}`
    } is given where a ` +
      "command is wanted; give what Redis.get and its kind return, several of them as an array or a record"
