/**
 * Values that are given in place of commands. Types forbid it, but programs are also written without types.
 */
import * as Predicate from "effect/Predicate"
import * as RedisArg from "../../RedisArg.ts"
import * as RedisReply from "../../RedisReply.ts"
import { callerOf } from "../error/place.ts"
import { CommandImpl, TypeId } from "./impl.ts"
import { Spec } from "./spec.ts"

/** The command; for anything else a command that is not sent and fails with what to give instead. */
export const commandIn = (value: unknown, advice = general): CommandImpl =>
  Predicate.hasProperty(value, TypeId)
    // Only commands have it.
    ? value as unknown as CommandImpl
    : new CommandImpl(
      spec,
      [],
      RedisReply.raw,
      RedisReply.textView,
      new RedisArg.InvalidArgument(advice, callerOf(commandIn))
    )

const spec = new Spec("(no command)", [])

const general =
  "what is given here is no command, as Redis.get(\"k\") is one; several are an array or a record of them, and no function"
