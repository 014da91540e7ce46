/**
 * What every client under measurement looks like to the cases: a table of
 * operations, and a way to run one of them by many concurrent callers.
 *
 * Promise clients and Effect clients differ only in the type `F` of a command in
 * flight: a case binds an operation once for every `F` ({@link Bind}), and the
 * session runs it in the loop a user of that client would write. Both loops have
 * the same shape: each caller sends its next command when the last one answered.
 */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { performance } from "node:perf_hooks"
import type { Receive, Subscribe } from "./receiver.ts"
import { receiver } from "./receiver.ts"

/** Where a server listens. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** The same, with the certificate to trust where the server speaks TLS. */
export interface Endpoint extends Address {
  readonly tls?: { readonly ca: string } | undefined
}

/** Some nodes of a cluster. */
export type Nodes = readonly [Address, ...Array<Address>]

/** The commands of one client, each built and sent by one call; absent where the client has no such call. */
export interface Operations<F> {
  readonly get: (key: string) => F
  readonly set: (key: string, value: string) => F
  readonly getBytes?: ((key: string) => F) | undefined
  readonly setBytes?: ((key: string, value: Buffer) => F) | undefined
  readonly lrange: (key: string, start: number, stop: number) => F
  readonly hgetall: (key: string) => F
  /** All members of a sorted set with their scores. */
  readonly zrangeWithScores: (key: string) => F
  /** A whole stream. */
  readonly xrange: (key: string) => F
  readonly mget?: ((keys: ReadonlyArray<string>) => F) | undefined
  /** An explicit pipeline of GETs, in the client's own way of asking for one. */
  readonly pipeline?: ((keys: ReadonlyArray<string>) => F) | undefined
  readonly keys?: ((pattern: string) => F) | undefined
  readonly mset?: ((pairs: ReadonlyArray<readonly [string, string]>) => F) | undefined
  readonly rpush?: ((key: string, values: ReadonlyArray<string>) => F) | undefined
}

/** Builds and sends the next command of a caller. */
export type Operation<F> = (caller: number) => F

/** Chooses an operation of a client, or `undefined` when the client lacks it. */
export type Bind = <F>(operations: Operations<F>) => Operation<F> | undefined

/** How many of many commands sent at once have been answered. */
export interface Settled {
  readonly succeeded: number
  readonly failed: number
  readonly firstError: string | undefined
}

/** Many commands sent at once. */
export interface Flood {
  /** Counts on while the commands settle. */
  readonly settled: Settled
  /** Resolves when every command has settled. */
  readonly done: Promise<unknown>
}

/** A connected client. */
export interface Session {
  readonly supports: (bind: Bind) => boolean
  /** Runs the operation once and returns its answer. */
  readonly once: (bind: Bind) => Promise<unknown>
  /** Runs `total` operations by `callers` concurrent callers; fails when one of them does. */
  readonly run: (bind: Bind, callers: number, total: number) => Promise<void>
  /** The same, and returns how long each operation took, in milliseconds, in no particular order. */
  readonly runTimed: (bind: Bind, callers: number, total: number) => Promise<Float64Array>
  /** Sends `total` commands without waiting for any. */
  readonly flood: (bind: Bind, total: number) => Flood
  /** Subscribes by one call, on a connection of the client's own for that. */
  readonly subscribe?: Subscribe | undefined
  /** Receives so many messages; absent where the client does not subscribe. */
  readonly receive?: Receive | undefined
  readonly close: () => Promise<void>
}

/** How a client subscribes, and where messages for it are published. */
export interface Subscriber {
  readonly address: Address
  readonly subscribe: Subscribe
}

const subscribing = (subscriber: Subscriber | undefined): Pick<Session, "subscribe" | "receive"> =>
  subscriber === undefined
    ? {}
    : { subscribe: subscriber.subscribe, receive: receiver(subscriber.address, subscriber.subscribe) }

/** A client: what `bench/src/clients/<name>.ts` exports as `client`. */
export interface Client {
  /** The name in tables and of `--clients`. */
  readonly name: string
  /** The package whose version is reported, or the place it comes from. */
  readonly package: string
  readonly connect: (endpoint: Endpoint) => Promise<Session>
  /** Connects to a cluster of which these are nodes; absent where the client has no such form or is not asked to. */
  readonly connectCluster?: ((nodes: Nodes) => Promise<Session>) | undefined
}

const bound = <F>(operations: Operations<F>, bind: Bind): Operation<F> => {
  const operation = bind(operations)
  if (operation === undefined) throw new Error("The client has no such operation.")
  return operation
}

/** How many operations each caller runs: all the same number, so that the last ones are not run alone. */
export const perCaller = (callers: number, total: number): number => Math.ceil(total / callers)

/** The name and message of an error, or of its cause where it only wraps one. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.message === "" && error.cause !== undefined) return explain(error.cause)
  return `${error.constructor.name}${error.message === "" ? "" : `: ${error.message}`}`
}

class SettledCount implements Settled {
  succeeded = 0
  failed = 0
  firstError: string | undefined

  readonly success = (): void => {
    this.succeeded++
  }

  readonly failure = (error: unknown): void => {
    this.failed++
    this.firstError ??= explain(error)
  }
}

/** Kept, because the compiler leaves out the reading of what nobody wants. */
const used = { unit: 0 }

/**
 * Uses an answer as little as possible: one character of a long text. Some
 * clients build long texts as ropes of pieces, whose cost comes due on first use.
 */
export function use(answer: unknown): void {
  if (typeof answer === "string" && answer.length > 4096) used.unit = answer.charCodeAt(answer.length >> 1)
}

/** Makes the session of a client whose commands are promises. */
export function promiseSession(
  operations: Operations<Promise<unknown>>,
  close: () => Promise<void>,
  subscriber?: Subscriber
): Session {
  const everyCaller = (callers: number, loop: (caller: number) => Promise<void>): Promise<Array<void>> =>
    Promise.all(Array.from({ length: callers }, (_, caller) => loop(caller)))
  return {
    supports: (bind) => bind(operations) !== undefined,
    once: (bind) => bound(operations, bind)(0),
    run: async (bind, callers, total) => {
      const operation = bound(operations, bind)
      const count = perCaller(callers, total)
      await everyCaller(callers, async (caller) => {
        for (let i = 0; i < count; i++) use(await operation(caller))
      })
    },
    runTimed: async (bind, callers, total) => {
      const operation = bound(operations, bind)
      const count = perCaller(callers, total)
      const samples = new Float64Array(count * callers)
      await everyCaller(callers, async (caller) => {
        for (let i = 0; i < count; i++) {
          const start = performance.now()
          await operation(caller)
          samples[caller * count + i] = performance.now() - start
        }
      })
      return samples
    },
    flood: (bind, total) => {
      const operation = bound(operations, bind)
      const settled = new SettledCount()
      const commands: Array<Promise<void>> = []
      for (let i = 0; i < total; i++) commands.push(operation(i).then(settled.success, settled.failure))
      return { settled, done: Promise.all(commands) }
    },
    ...subscribing(subscriber),
    close
  }
}

/** Subscribes as {@link Subscribe} does, and goes on until it is interrupted; `done` is to be called with the confirmation. */
type Subscription<R> = (
  channels: ReadonlyArray<string>,
  onMessage: (message: string) => void,
  done: () => void
) => Effect.Effect<unknown, unknown, R>

/** Makes the session of a client whose commands are Effects that need the services `R`. */
export async function effectSession<R, E>(
  layer: Layer.Layer<R, E>,
  makeOperations: Effect.Effect<Operations<Effect.Effect<unknown, unknown, R>>, never, R>,
  subscriber?: { readonly address: Address; readonly subscription: Subscription<R> }
): Promise<Session> {
  const runtime = ManagedRuntime.make(layer)
  const operations = await runtime.runPromise(makeOperations)
  const everyCaller = (
    callers: number,
    loop: (caller: number) => Effect.Effect<void, unknown, R>
  ): Promise<void> =>
    runtime.runPromise(
      Effect.forEach(Array.from({ length: callers }, (_, caller) => caller), loop, {
        concurrency: "unbounded",
        discard: true
      })
    )
  const subscribe: Subscribe = (channels, onMessage) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    if (subscriber !== undefined) runtime.runFork(subscriber.subscription(channels, onMessage, resolve))
    return promise
  }
  return {
    supports: (bind) => bind(operations) !== undefined,
    once: (bind) => runtime.runPromise(bound(operations, bind)(0)),
    run: (bind, callers, total) => {
      const operation = bound(operations, bind)
      const count = perCaller(callers, total)
      return everyCaller(callers, (caller) =>
        Effect.gen(function*() {
          for (let i = 0; i < count; i++) use(yield* operation(caller))
        }))
    },
    runTimed: async (bind, callers, total) => {
      const operation = bound(operations, bind)
      const count = perCaller(callers, total)
      const samples = new Float64Array(count * callers)
      await everyCaller(callers, (caller) =>
        Effect.gen(function*() {
          for (let i = 0; i < count; i++) {
            const start = performance.now()
            yield* operation(caller)
            samples[caller * count + i] = performance.now() - start
          }
        }))
      return samples
    },
    flood: (bind, total) => {
      const operation = bound(operations, bind)
      const settled = new SettledCount()
      const done = everyCaller(
        total,
        (caller) => Effect.match(operation(caller), { onSuccess: settled.success, onFailure: settled.failure })
      )
      return { settled, done }
    },
    ...subscribing(subscriber && { address: subscriber.address, subscribe }),
    close: () => runtime.dispose()
  }
}
