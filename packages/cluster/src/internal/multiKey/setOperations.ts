/**
 * Operations on sets of several slots: each slot computes a part, and this client the rest.
 */
import { sdiff, sinter, sunion } from "@redfx/core/commands/Sets"
import type { Key } from "@redfx/core/RedisArg"
import * as RedisCommand from "@redfx/core/RedisCommand"
import type { CommandError } from "@redfx/core/RedisError"
import type * as Resp from "@redfx/core/Resp"
import * as Effect from "effect/Effect"
import { slotOf } from "../topology/slot.ts"
import { fanOut } from "./fanOut.ts"
import { elementsIn, identity } from "./replies.ts"

/** Members by the text that identifies them. */
type Members = ReadonlyMap<string, Resp.Value>

/** Runs a command that reads. The reply is as it came. */
type Read = (command: RedisCommand.Any) => Effect.Effect<Resp.Value, CommandError>

/** The members that an operation on sets of any slots gives, as one server would give them. */
export type SetOperation = (
  read: Read,
  keys: ReadonlyArray<Key>
) => Effect.Effect<ReadonlyArray<Resp.Value>, CommandError>

/** The keys of each slot, in the order of the first key of each. */
export const bySlot = (keys: ReadonlyArray<Key>): ReadonlyArray<ReadonlyArray<Key>> => [
  ...Map.groupBy(keys, slotOf).values()
]

/** The members that one command for each slot gives. */
const perSlot = (
  read: Read,
  keys: ReadonlyArray<Key>,
  make: (keys: ReadonlyArray<Key>, index: number) => RedisCommand.Any
): Effect.Effect<ReadonlyArray<Members>, CommandError> =>
  fanOut(
    bySlot(keys).map((keys, index) => {
      const command = make(keys, index)
      return Effect.flatMap(read(command), (reply) => {
        const members = elementsIn(reply)
        return members === undefined
          // The decoder refuses it.
          ? Effect.as(RedisCommand.decode(command, reply, "replace"), new Map<string, Resp.Value>())
          : Effect.succeed(new Map(members.map((member) => [identity(member), member])))
      })
    }),
    { readonly: true }
  )

export const union: SetOperation = (read, keys) =>
  Effect.map(perSlot(read, keys, (keys) => sunion(keys)), (sets) => membersOf(new Map(sets.flatMap((set) => [...set]))))

export const intersection: SetOperation = (read, keys) =>
  Effect.map(
    perSlot(read, keys, (keys) => sinter(keys)),
    ([first, ...others]) => membersOf(first, (member) => others.every((set) => set.has(member)))
  )

export const difference: SetOperation = (read, keys) =>
  Effect.map(
    // The first group begins with the first key, from which the members of the others are taken away.
    perSlot(read, keys, (keys, index) => (index === 0 ? sdiff(keys) : sunion(keys))),
    ([first, ...others]) => membersOf(first, (member) => !others.some((set) => set.has(member)))
  )

const membersOf = (
  set: Members | undefined,
  isWanted: (member: string) => boolean = () => true
): ReadonlyArray<Resp.Value> => [...set ?? []].flatMap(([name, member]) => (isWanted(name) ? [member] : []))
