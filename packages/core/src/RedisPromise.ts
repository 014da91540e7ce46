/**
 * The client for programs that are not written with Effect: every command is a
 * method that returns a promise.
 *
 * **Example** (A client for the life of a program)
 *
 * ```ts
 * import { RedisPromise } from "@redfx/core"
 * import { NodeRedisClient } from "@redfx/node"
 *
 * const redis = RedisPromise.make(NodeRedisClient.layer({ host: "127.0.0.1" }))
 *
 * await redis.set("greeting", "hello", { ex: 60 })
 * const greeting = await redis.get("greeting") // string | undefined
 * await redis.close()
 * ```
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { format } from "effect/Formatter"
import type * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { leftAtOnce } from "./internal/client/iteration.ts"
import type { HsetMethod } from "./internal/client/methods.ts"
import { answered, answeredUnless, awaited, endedWith, settled } from "./internal/client/promises.ts"
import { Building, Limited, provided } from "./internal/client/providers.ts"
import type { Provider } from "./internal/client/providers.ts"
import { steady } from "./internal/client/steady.ts"
import { integer } from "./internal/config/checks.ts"
import { onceAborted } from "./internal/runtime/aborts.ts"
import { durationFrom } from "./internal/runtime/milliseconds.ts"
import * as Redis from "./Redis.ts"
import type { Key } from "./RedisArg.ts"
import type { RedisClient } from "./RedisClient.ts"
import * as RedisCommand from "./RedisCommand.ts"
import { RedisConfigError } from "./RedisError.ts"
import type { Delivery } from "./RedisError.ts"
import type { Commands as Several, Results, Successes } from "./RedisPipeline.ts"
import type { Raw } from "./RedisReply.ts"

// -----------------------------------------------------------------------------
// Models
// -----------------------------------------------------------------------------

export type { HsetMethod } from "./internal/client/methods.ts"

type Definitions = typeof Redis

/**
 * Every command of `Redis` as a method: the same parameters, and a promise of the same value.
 *
 * @category models
 * @since 0.1.0
 */
export type Methods = {
  readonly [
    K in keyof Definitions as Definitions[K] extends { readonly spec: RedisCommand.Spec } ? K : never
  ]: K extends "hset" ? HsetMethod
    : Definitions[K] extends RedisCommand.Definition<infer Parameters, infer A, unknown, unknown>
      ? (...parameters: Parameters) => Promise<A>
    : never
}

/**
 * How a client is closed.
 *
 * @category options
 * @since 0.1.0
 */
export interface CloseOptions {
  /**
   * For how long calls that are pending are waited for, in milliseconds or as another time. Default 5 seconds; 0 waits
   * for none, an infinite time for as long as they take.
   */
  readonly drain?: Duration.Input | undefined
}

/**
 * A client whose commands return promises. `R` is what its Layer has besides the client.
 *
 * **Details**
 *
 * A promise is rejected with the error that the command fails with in a program of Effect: one of `RedisError`, with its
 * `_tag`, its `message` and, of lost connections and limits, its `delivery`. `RedisError.isSafeToRetry` takes it as it is.
 * What is no failure, such as a fault of the program in a callback, is thrown as it is.
 *
 * @category models
 * @since 0.1.0
 */
export interface RedisPromise<R = never> extends Methods {
  /** Any effect of redfx, such as `Redis.asBytes(Redis.get("k"))`, a script, or a lock around something. */
  readonly run: <A, E>(effect: Effect.Effect<A, E, RedisClient | R>) => Promise<A>
  /**
   * The elements of any stream of redfx, such as `Redis.subscribe("news")`. The stream runs while somebody iterates, and
   * ends with the loop, or with `return()`, also while the next element is waited for.
   */
  readonly iterate: <A, E>(stream: Stream.Stream<A, E, RedisClient | R>) => AsyncGenerator<A, void, undefined>
  /** A command by its name. */
  readonly send: (...parameters: Parameters<typeof Redis.send>) => Promise<Raw>
  /** Several commands in one write; rejected with the first error. */
  readonly pipeline: <const C extends Several>(commands: C) => Promise<Successes<C>>
  /** Several commands in one write, with a `Result` for each. */
  readonly pipelineSettled: <const C extends Several>(commands: C) => Promise<Results<C>>
  /** Several commands between MULTI and EXEC; rejected with the first error. */
  readonly transaction: <const C extends Several>(commands: C) => Promise<Successes<C>>
  /** Several commands between MULTI and EXEC, with a `Result` for each. */
  readonly transactionSettled: <const C extends Several>(commands: C) => Promise<Results<C>>
  /**
   * Reads with the client that the body gets, and commits the commands that it returns unless one of the keys was changed
   * meanwhile; then again, up to `times` times, and after that `WatchError`.
   */
  readonly watch: <const C extends Several>(
    keys: Key | ReadonlyArray<Key>,
    body: (redis: RedisPromise<R>) => Promise<C>,
    options?: {
      /** How often it begins again. Default as often as it takes. */
      readonly times?: number | undefined
    }
  ) => Promise<Successes<C>>
  /** A connection that nobody else uses until the promise of the body settles. */
  readonly withConnection: <A>(body: (redis: RedisPromise<R>) => Promise<A>) => Promise<A>
  /**
   * The same client, whose calls are given up when the signal is aborted. They are rejected with the signal's reason.
   * What was not written yet is never sent; what was written may have run, which {@link deliveryOf} tells of the call. Limits
   * are better given by `withTimeout`, as their errors say it. Throws `RedisConfigError` for what is no signal.
   */
  readonly withSignal: (signal: AbortSignal) => RedisPromise<R>
  /**
   * The same client with another `commandTimeout`, for each of its commands; a bare number is milliseconds, `Infinity` no
   * limit. What runs into it is rejected with `TimeoutError`, which says by its `delivery` whether it may have run; what
   * was not written yet is never sent. Throws `RedisConfigError` for what is no time, or shorter than 1 ms.
   */
  readonly withTimeout: (limit: Duration.Input) => RedisPromise<R>
  /**
   * Refuses new calls, waits for those that are pending, and closes every connection. It waits for no longer than
   * `drain`: what is pending then, such as a BLPOP that finds nothing, is rejected with `ConnectionError`, reason
   * `ClientClosed`. `iterate` is not waited for. Also for `await using`. An open client keeps the process alive.
   */
  readonly close: (options?: CloseOptions) => Promise<void>
  /**
   * Closes every connection at once, and rejects what waits for Redis; also when `close` still waits. An effect of `run` that
   * waits for something else, such as a timer, goes on until it asks Redis for anything, and fails then.
   */
  readonly destroy: () => Promise<void>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

// -----------------------------------------------------------------------------
// Constructors
// -----------------------------------------------------------------------------

/**
 * Creates a client of promises from the Layer of a client: of one server, of Sentinel, or of a cluster.
 *
 * **Details**
 *
 * Nothing is opened before the first call. A Layer that fails, by a wrong option or as `connect: "eager"` finds no server,
 * rejects the calls that waited for it, and is built again for the next one.
 *
 * Make one for a program and keep it: each has connections of its own.
 *
 * **Example** (A request that somebody may give up)
 *
 * ```ts
 * import { RedisError, RedisPromise } from "@redfx/core"
 * import { NodeRedisClient } from "@redfx/node"
 *
 * const redis = RedisPromise.make(NodeRedisClient.layerConfig())
 *
 * export const visits = async (page: string, signal: AbortSignal): Promise<number | undefined> => {
 *   try {
 *     return await redis.withSignal(signal).incr(`visits:${page}`)
 *   } catch (error) {
 *     if (RedisError.isRedisError(error) && error._tag === "ConnectionError") return undefined
 *     throw error
 *   }
 * }
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <R, E>(layer: Layer.Layer<RedisClient | R, E>): RedisPromise<Exclude<R, RedisClient>> =>
  view(new Building(layer), undefined)

// -----------------------------------------------------------------------------
// Getters
// -----------------------------------------------------------------------------

/**
 * Whether a server may have run what a call was to do that its signal has ended: `"not-sent"` when it certainly has not,
 * `"unknown"` when it may have. `undefined` of every other call, also while it is pending: when one fails for another reason, its
 * error says it.
 *
 * **Details**
 *
 * The call is the promise that a method of the client has returned, and no other that was made of it, as by `then` or by an
 * `async` function. A command on a shared connection knows whether it was written. Everything else, such as several
 * commands, a command that blocks or one that is cached, tells `"unknown"` as soon as it has begun.
 *
 * **Example** (A write that is done again only when that does no harm)
 *
 * ```ts
 * import { RedisPromise } from "@redfx/core"
 *
 * export const visit = async <R>(redis: RedisPromise.RedisPromise<R>, signal: AbortSignal): Promise<"counted" | "not counted" | "unknown"> => {
 *   const call = redis.withSignal(signal).incr("visits")
 *   try {
 *     await call
 *     return "counted"
 *   } catch (error) {
 *     if (error !== signal.reason) throw error
 *     return RedisPromise.deliveryOf(call) === "not-sent" ? "not counted" : "unknown"
 *   }
 * }
 * ```
 *
 * @category getters
 * @since 0.1.0
 */
export const deliveryOf = (call: Promise<unknown>): Delivery | undefined => endedWith(call)

// -----------------------------------------------------------------------------
// Methods
// -----------------------------------------------------------------------------

/** A limit that somebody gave. */
const limitOf = (limit: Duration.Input): Duration.Duration => {
  const given = durationFrom(limit)
  if (given === undefined || !(Duration.toMillis(given) >= 1)) {
    throw new RedisConfigError({ option: "withTimeout", detail: `${format(limit)} is no time of at least 1 ms` })
  }
  return given
}

/** A signal that somebody gave. One of another realm, as tests in a browser's environment have it, is no instance of this one's. */
const signalOf = (signal: AbortSignal): AbortSignal => {
  const given: unknown = signal
  if (Predicate.hasProperty(given, "aborted") && Predicate.hasProperty(given, "addEventListener")) return signal
  throw new RedisConfigError({
    option: "withSignal",
    detail: "it takes an AbortSignal, such as the signal of an AbortController"
  })
}

const noBody = (method: string): string =>
  `RedisPromise.${method} takes a function that is given a client, such as async (redis) => { … }`

const noEffect =
  "RedisPromise.run takes an effect, such as Redis.get(key); what redis.get(key) returns is a promise already, " +
  "and Effect.promise makes an effect of an async function"

const noStream = "RedisPromise.iterate takes a stream, such as Redis.scanStream()"

/** What every client has; the methods of commands are added to a copy of it that is made once. */
class View<R> {
  readonly #provider: Provider<R>
  readonly #signal: AbortSignal | undefined

  constructor(provider: Provider<R>, signal: AbortSignal | undefined) {
    this.#provider = provider
    this.#signal = signal
  }

  run<A, E>(effect: Effect.Effect<A, E, RedisClient | R>): Promise<A> {
    if (!Effect.isEffect(effect)) return Promise.reject(new TypeError(noEffect))
    // A command gives what its type as an effect says.
    return RedisCommand.isCommand(effect) ? this.#call(effect) as Promise<A> : this.#fork(effect)
  }

  /** Runs a command. */
  #call(command: RedisCommand.Any): Promise<unknown> {
    const { current, pending } = this.#provider
    if (current?.client === undefined) return this.#fork(command)
    return this.#signal === undefined
      ? answered(command, current.client, current.context, pending)
      : answeredUnless(this.#signal, command, current.client, current.context, pending)
  }

  #fork<A, E>(effect: Effect.Effect<A, E, RedisClient | R>): Promise<A> {
    const { current, pending } = this.#provider
    if (current !== undefined) return settled(current.context, effect, this.#signal, pending)
    let isOpen = false
    const opened = Effect.flatMap(this.#provider.opened, (context) => {
      isOpen = true
      return Effect.provideContext(effect, context)
    })
    return settled(steady, opened, this.#signal, pending, () => isOpen ? "unknown" : "not-sent")
  }

  iterate<A, E>(stream: Stream.Stream<A, E, RedisClient | R>): AsyncGenerator<A, void, undefined> {
    return leftAtOnce(async () => {
      if (!Stream.isStream(stream)) throw new TypeError(noStream)
      const context = await settled(steady, this.#provider.opened, this.#signal)
      return Stream.toAsyncIterableWith(untilAborted(stream, this.#signal), context)
    })
  }

  send(...parameters: Parameters<typeof Redis.send>): Promise<Raw> {
    return this.run(Redis.send(...parameters))
  }

  pipeline<const C extends Several>(commands: C): Promise<Successes<C>> {
    return this.run(Redis.pipeline(commands))
  }

  pipelineSettled<const C extends Several>(commands: C): Promise<Results<C>> {
    return this.run(Redis.pipelineSettled(commands))
  }

  transaction<const C extends Several>(commands: C): Promise<Successes<C>> {
    return this.run(Redis.transaction(commands))
  }

  transactionSettled<const C extends Several>(commands: C): Promise<Results<C>> {
    return this.run(Redis.transactionSettled(commands))
  }

  watch<const C extends Several>(
    keys: Key | ReadonlyArray<Key>,
    body: (redis: RedisPromise<R>) => Promise<C>,
    options?: { readonly times?: number | undefined }
  ): Promise<Successes<C>> {
    if (typeof body !== "function") return Promise.reject(new TypeError(noBody("watch")))
    return this.run(
      Effect.flatMap(
        repetition(options?.times),
        (schedule) => Redis.watch(keys, promised(body, this.#signal), { schedule })
      )
    )
  }

  withConnection<A>(body: (redis: RedisPromise<R>) => Promise<A>): Promise<A> {
    if (typeof body !== "function") return Promise.reject(new TypeError(noBody("withConnection")))
    return this.run(Redis.withConnection(promised(body, this.#signal)))
  }

  withSignal(signal: AbortSignal): RedisPromise<R> {
    const given = signalOf(signal)
    return view(this.#provider, this.#signal === undefined ? given : AbortSignal.any([this.#signal, given]))
  }

  withTimeout(limit: Duration.Input): RedisPromise<R> {
    return view(new Limited(this.#provider, limitOf(limit)), this.#signal)
  }

  close(options?: CloseOptions): Promise<void> {
    return this.#provider.close(options?.drain)
  }

  destroy(): Promise<void> {
    return this.#provider.destroy()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#provider.close()
  }

  /** Makes the class with a method for every command. */
  static withCommands(): typeof View {
    class WithCommands<R> extends View<R> {}
    for (const [name, definition] of Object.entries(Redis)) {
      if (typeof definition !== "function" || !("spec" in definition)) continue
      // What has a `spec` makes commands; which parameters it takes is a matter of the type of the method.
      const make = definition as unknown as (...parameters: ReadonlyArray<unknown>) => RedisCommand.Any
      Object.defineProperty(WithCommands.prototype, name, {
        configurable: true,
        value(this: View<never>, ...parameters: ReadonlyArray<unknown>) {
          return this.#call(make(...parameters))
        },
        writable: true
      })
    }
    return WithCommands
  }
}

/**
 * A body that is given a client of its own, on the services that the effect finds. Its client dies with the effect, for the
 * reason of the outer signal.
 */
const promised = <A, R>(
  body: (redis: RedisPromise<R>) => Promise<A>,
  outer: AbortSignal | undefined
): Effect.Effect<A, unknown, RedisClient | R> =>
  Effect.flatMap(
    Effect.context<RedisClient | R>(),
    (context) => awaited((signal) => body(view(provided(context), signal)), outer)
  )

/** How often a body is repeated. */
const repetition = (
  times: number | undefined
): Effect.Effect<Schedule.Schedule<unknown> | undefined, RedisConfigError> =>
  times === undefined || times === Infinity
    ? Effect.succeed(undefined)
    : Effect.map(integer("times", times, 0), Schedule.recurs)

const untilAborted = <A, E, R>(
  stream: Stream.Stream<A, E, R>,
  signal: AbortSignal | undefined
): Stream.Stream<A, unknown, R> =>
  signal === undefined ? stream : Stream.interruptWhen(
    stream,
    Effect.callback<never, unknown>((resume) =>
      Effect.sync(onceAborted(signal, () => resume(Effect.fail(signal.reason))))
    )
  )

let methods: typeof View | undefined

const view = <R>(provider: Provider<R>, signal: AbortSignal | undefined): RedisPromise<R> => {
  methods ??= View.withCommands()
  // A method for every command was added, which the class does not tell.
  return new methods<R>(provider, signal) as unknown as RedisPromise<R>
}
