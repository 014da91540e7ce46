/**
 * Makes commands of a program values of the library, with tokens of their own, and knows their possible results.
 */
import { Redis } from "@redfx/core"
import type { RedisCommand } from "@redfx/core"
import { inspect } from "node:util"
import type { Command } from "./program.ts"
import * as Programs from "./programs.ts"

/**
 * The facts about a command before it is sent.
 *
 * - `tokens`: of its writes, all of which are applied or none. `fails`: whether it always fails, having applied nothing.
 * - `lies`: whether it applies its writes and fails, and `says`: with which code. `separate`: whether its writes may be applied one by one.
 * - `pops`: whether it takes something away. `blocks`: for how many milliseconds it may wait at its server.
 * - `seed`: a key that has to be there, and what it holds.
 * - `check`: says what is wrong with a result.
 */
export interface Built {
  readonly name: string
  readonly command: RedisCommand.Any
  readonly tokens: ReadonlyArray<string>
  readonly fails: boolean
  readonly lies: boolean
  readonly says: string | undefined
  readonly separate: boolean
  readonly pops: boolean
  readonly blocks: number
  readonly seed: readonly [key: string, text: string] | undefined
  readonly check: (value: unknown) => string | undefined
}

/** The hash tags of groups of keys, which in a cluster of three are on different servers. */
const tags = ["b", "c", "a"] as const

/** A key of a group. */
export const keyOf = (slot: number, name: string): string => `{${tags[slot] ?? "a"}}:${name}`

/** The keys that are there from the beginning. Each holds its own name, so that a stray reply is found. */
export const initial: ReadonlyArray<readonly [key: string, text: string]> = [0, 1, 2].flatMap((slot) => [
  [keyOf(slot, "bad"), "text"] as const,
  [keyOf(slot, "string"), `${keyOf(slot, "string")}|`] as const
])

/** Whether a key was written through a keyspace, so that it has a time to live. */
export const isOfKeyspace = (key: string): boolean => /:(value|record|tags|counter|ranks|count):/.test(key)

const exactly = (expected: unknown) => (value: unknown): string | undefined =>
  inspect(value) === inspect(expected) ? undefined : `${inspect(value)} instead of ${inspect(expected)}`

const holds = (what: string, test: (value: unknown) => boolean) => (value: unknown): string | undefined =>
  test(value) ? undefined : `${inspect(value)} is not ${what}`

const positive = holds("a positive number", (value) => typeof value === "number" && value > 0)

const own = (key: string) =>
  holds(`a value of ${key}`, (value) => typeof value === "string" && value.startsWith(`${key}|`))

const text = (slot: number) => keyOf(slot, "string")

type Shape = Partial<Built> & Pick<Built, "command" | "check">

const shape = (command: Command, token: () => string): Shape => {
  const one = (make: (token: string) => Shape): Shape => {
    const name = token()
    return { tokens: [name], ...make(name) }
  }
  switch (command.c) {
    case "hincrby":
      return one((name) => ({ command: Redis.hincrby(keyOf(command.slot, "hash"), name, 1), check: exactly(1) }))
    case "incr":
      return one((name) => ({ command: Redis.incr(keyOf(command.slot, `n:${name}`)), check: exactly(1) }))
    case "rpush":
      return one((name) => ({ command: Redis.rpush(keyOf(command.slot, "queue"), name), check: positive }))
    case "set":
      return one((name) => ({
        command: Redis.set(text(command.slot), `${text(command.slot)}|${name}`),
        check: exactly(true)
      }))
    case "append":
      return one((name) => ({ command: Redis.append(keyOf(command.slot, "text"), `${name},`), check: positive }))
    case "sadd":
      return one((name) => ({ command: Redis.sadd(keyOf(command.slot, "set"), name), check: exactly(1) }))
    case "xadd":
      return one((name) => ({
        command: Redis.xadd(keyOf(command.slot, "stream"), { name }),
        check: holds("an id", (value) => typeof value === "string" && /^\d+-\d+$/.test(value))
      }))
    case "get":
      return { command: Redis.get(text(command.slot)), check: own(text(command.slot)) }
    case "peek":
      return { command: Programs.peek(text(command.slot)), check: own(text(command.slot)) }
    case "exists":
      return { command: Redis.exists(keyOf(command.slot, "bad")), check: exactly(1) }
    case "echo": {
      const name = token()
      return { command: Redis.send("ECHO", name), check: exactly(name) }
    }
    case "long": {
      const text = `${token()}é,`.repeat(command.times)
      const bytes = Buffer.from(text)
      return {
        command: command.bytes ? Redis.asBytes(Redis.send("ECHO", text)) : Redis.send("ECHO", text),
        check: holds(
          `the ${bytes.length} bytes that were sent`,
          (value) => value instanceof Uint8Array ? bytes.equals(value) : value === text
        )
      }
    }
    case "wrong":
      return one((name) => ({
        command: Redis.hincrby(keyOf(command.slot, "bad"), name, 1),
        check: () => "success, of a command that fails",
        fails: true
      }))
    default:
      return program(command, token) ?? several(command, token)
  }
}

const program = (command: Command, token: () => string): Shape | undefined => {
  switch (command.c) {
    case "twice": {
      const [first, second] = [token(), token()]
      return {
        command: Programs.twice(keyOf(command.slot, "hash"), first, second),
        tokens: [first, second],
        check: exactly([1, 1, first])
      }
    }
    case "function": {
      const name = token()
      return { command: Programs.add(keyOf(command.slot, "hash"), name), tokens: [name], check: exactly(1) }
    }
    case "liar": {
      const name = token()
      return {
        command: Programs.liar(keyOf(command.slot, "hash"), name, command.code),
        tokens: [name],
        check: () => "success, of a script that fails",
        lies: true,
        says: command.code
      }
    }
    default:
      return undefined
  }
}

const several = (command: Command, token: () => string): Shape => {
  const slots = [0, 1, 2]
  switch (command.c) {
    case "mset": {
      const names = slots.map(token)
      return {
        command: Redis.mset(slots.map((slot) => [text(slot), `${text(slot)}|${names[slot]}`] as const)),
        tokens: names,
        separate: true,
        check: () => undefined
      }
    }
    case "mget":
      return {
        command: Redis.mget(slots.map(text)),
        check: (value) =>
          Array.isArray(value) && value.length === 3
            ? slots.map((slot) => own(text(slot))(value[slot])).find((wrong) => wrong !== undefined)
            : `${inspect(value)} is not three values`
      }
    case "del": {
      const names = slots.map(token)
      return {
        command: Redis.del(slots.map((slot) => keyOf(slot, `d:${names[slot]}`))),
        tokens: names,
        separate: true,
        check: exactly(0)
      }
    }
    case "blpop":
      return {
        command: Redis.blpop(keyOf(command.slot, "queue"), `${command.ms} millis`),
        check: () => undefined,
        pops: true,
        blocks: command.ms
      }
    default: {
      const name = token()
      const slot = "slot" in command ? command.slot : 0
      const source = keyOf(slot, `from:${name.replace("w", "v")}`)
      return {
        command: Redis.rename(source, keyOf((slot + 1) % 3, `to:${name}`)),
        tokens: [name],
        seed: [source, "renamed"],
        check: () => undefined
      }
    }
  }
}

/** A command, ready to be run once. */
export const build = (command: Command, token: () => string): Built => ({
  name: command.c,
  tokens: [],
  fails: false,
  lies: false,
  says: undefined,
  separate: false,
  pops: false,
  blocks: 0,
  seed: undefined,
  ...shape(command, token)
})

/** Moves a command to the one slot of a transaction. */
export const within = (slot: number, command: Command): Command => "slot" in command ? { ...command, slot } : command
