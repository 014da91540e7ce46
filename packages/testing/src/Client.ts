/**
 * Clients for fault tests, and the checks that those tests make on failures.
 */
import { assert } from "@effect/vitest"
import { RedisClient, RedisError, RedisStandalone } from "@redfx/core"
import type { RedisCommand, RedisConfig } from "@redfx/core"
import { NodeRedisClient, NodeRedisConnector, RedisServer } from "@redfx/node"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { inspect } from "node:util"
import { inOneTurn } from "./Fork.ts"

/** Something that listens on an address. */
interface Listening {
  readonly host: string
  readonly port: number
}

/** Makes a client that lives as long as the scope. */
export const make = (
  server: Listening,
  options: RedisConfig.ConnectionOptions & Pick<RedisConfig.SentinelOptions, "tls"> = {}
): Effect.Effect<RedisClient.RedisClient["Service"], RedisError.RedisError, Scope.Scope> =>
  Effect.provide(RedisStandalone.make({ host: server.host, port: server.port, ...options }), NodeRedisConnector.layer)

/** A real server, and a client of it that speaks a version of the protocol. */
export const live = (protocol: 2 | 3) =>
  Layer.unwrap(Effect.map(
    RedisServer.RedisServer,
    ({ host, port }) => NodeRedisClient.layer({ host, port, protocol })
  )).pipe(Layer.provideMerge(RedisServer.layer()))

/** A client of that server beside the one that is tested. */
export const another = Effect.flatMap(RedisServer.RedisServer, (server) => make(server))

/** Runs an effect with a client. */
export const on =
  (client: RedisClient.RedisClient["Service"]) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, Exclude<R, RedisClient.RedisClient>> =>
    Effect.provideContext(effect, Context.make(RedisClient.RedisClient, client))

/** Runs an effect once somebody listens, and waits for the client event that it causes. */
export const causing = <Tag extends RedisClient.RedisEvent["_tag"], A, E, R>(
  client: Pick<RedisClient.RedisClient["Service"], "events">,
  tag: Tag,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<Extract<RedisClient.RedisEvent, { readonly _tag: Tag }>, E, R> =>
  Effect.scoped(Effect.gen(function*() {
    const event = yield* client.events.pipe(
      Stream.filter((event): event is Extract<RedisClient.RedisEvent, { readonly _tag: Tag }> => event._tag === tag),
      Stream.runHead,
      Effect.forkScoped({ startImmediately: true }),
      // So it does not rest before it listens, not even at its first step.
      inOneTurn
    )
    yield* effect
    return Option.getOrThrow(yield* Fiber.join(event))
  }))

/** Runs commands concurrently, started in their order, and returns the outcome of each. */
export const outcomes = (client: RedisClient.RedisClient["Service"], commands: ReadonlyArray<RedisCommand.Any>) =>
  Effect.forEach(commands, (command) => Effect.exit(client.execute(command)), { concurrency: "unbounded" })

/** The error of a command, which must fail with this tag. */
export const failure = <Tag extends RedisError.RedisError["_tag"]>(
  client: RedisClient.RedisClient["Service"],
  command: RedisCommand.Any,
  tag: Tag
): Effect.Effect<Extract<RedisError.RedisError, { readonly _tag: Tag }>> =>
  Effect.matchEffect(client.execute(command), {
    onSuccess: (value) => Effect.die(new Error(`succeeded with ${inspect(value)}`)),
    onFailure: (error) => Effect.sync(() => expectTag(error, tag))
  })

/** The same error, typed by its tag, which is asserted. */
export const expectTag = <Tag extends RedisError.RedisError["_tag"]>(
  error: RedisError.RedisError,
  tag: Tag
): Extract<RedisError.RedisError, { readonly _tag: Tag }> => {
  assert.strictEqual(error._tag, tag, String(error))
  // The tag was asserted above.
  return error as Extract<RedisError.RedisError, { readonly _tag: Tag }>
}

/** What a caller can learn about an effect that was answered with nonsense. */
export const fateByNonsense = (error: RedisError.RedisError) => {
  const { delivery, mayHaveWritten, partial } = expectTag(error, "ProtocolError")
  return {
    delivery,
    mayHaveWritten,
    partial,
    mayHaveRun: RedisError.mayHaveRun(error),
    retryable: RedisError.isRetryable(error)
  }
}

/** What a caller can learn about a lost command. */
export const fate = (error: RedisError.RedisError) => {
  if (error._tag !== "ConnectionError" && error._tag !== "TimeoutError") return error._tag
  const { command, delivery, readonly } = error
  return { tag: error._tag, command, delivery, readonly, safe: RedisError.isSafeToRetry(error) }
}

/** The tag and the index of each error among outcomes, in its place. */
export const indexes = (
  outcomes: ReadonlyArray<Exit.Exit<unknown, RedisError.RedisError>>
): ReadonlyArray<ReadonlyArray<unknown> | undefined> =>
  outcomes.map((outcome) => {
    const error = Option.getOrUndefined(Exit.findErrorOption(outcome))
    return error && [error._tag, "index" in error ? error.index : undefined]
  })
