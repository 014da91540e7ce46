/**
 * Clients whose server is a function of the test, for what uses little of a client: there are no connections, and no time passes.
 */
import { RedisArg, RedisCommand, RedisError, Resp } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

type Client = RedisClient.RedisClient["Service"]

/**
 * A client that runs commands alone. It fails with an answer that is an error, and decodes all others.
 *
 * - `others`: what else it has.
 */
export const make = (
  answer: (command: RedisCommand.Any) => Effect.Effect<Resp.Value | RedisError.CommandError, RedisError.CommandError>,
  others: Partial<Client> = {}
): Client => {
  const execute: Client["execute"] = (command) =>
    Effect.flatMap(
      Effect.suspend(() => answer(command)),
      (reply) => RedisError.isRedisError(reply) ? Effect.fail(reply) : RedisCommand.decode(command, reply)
    )
  // What is tested with it uses nothing else.
  return { execute, ...others } as Partial<Client> as Client
}

/** The arguments of a command as text. */
export const wordsOf = (command: RedisCommand.Any): ReadonlyArray<string> =>
  command.parts.map((part) => String(RedisArg.wireValue(part)))

/** A text as servers send it. */
export const bulk = (text: string): Resp.Bulk => {
  const bytes = new TextEncoder().encode(text)
  return new Resp.Bulk(bytes, 0, bytes.length)
}

/** What a command that may write fails with when its connection is lost, before it was sent or after. */
export const lost = (delivery: RedisError.Delivery): RedisError.ConnectionError =>
  new RedisError.ConnectionError({ reason: "Reset", detail: "gone", delivery, readonly: false })

/** Has chance give this number always; with 0, nothing has jitter. */
export const withChance = (number: number) =>
  Effect.provideService(Random.Random, { nextDoubleUnsafe: () => number, nextIntUnsafe: () => number })
