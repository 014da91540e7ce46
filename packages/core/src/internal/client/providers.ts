/**
 * Where the clients of promises get what their effects need: the services of a Layer, built when they are needed first.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { TracerKey } from "effect/Tracer"
import { RedisClient } from "../../RedisClient.ts"
import { ConnectionError, RedisConfigError } from "../../RedisError.ts"
import { duration } from "../config/checks.ts"
import { deeper } from "../error/stackless.ts"
import { withTimeout } from "../runtime/elapsed.ts"
import { Once } from "../runtime/once.ts"
import { outside } from "../runtime/ownContext.ts"
import { Pending, settled } from "./promises.ts"
import { steady } from "./steady.ts"

/**
 * What the effects of an open client need.
 *
 * - `client`: runs commands without a fiber; `undefined` where there is a tracer, which takes the spans of fibers.
 */
class Services<R> {
  readonly context: Context.Context<RedisClient | R>
  readonly client: RedisClient["Service"] | undefined

  constructor(context: Context.Context<RedisClient | R>) {
    this.context = Context.merge(steady, context)
    this.client = context.mapUnsafe.has(TracerKey) ? undefined : Context.get(context, RedisClient)
  }
}

/** Where a client gets what its effects need: at once, or later. */
export interface Provider<R> {
  readonly current: Services<R> | undefined
  readonly opened: Effect.Effect<Context.Context<RedisClient | R>, unknown>
  readonly close: (drain?: Duration.Input) => Promise<void>
  readonly destroy: () => Promise<void>
  readonly pending: Pending
}

/** Builds a Layer when it is needed, once, and again when that failed. */
export class Building<R, E> implements Provider<R> {
  readonly #layer: Layer.Layer<RedisClient | R, E>
  /** One scope, and with it one life, for each time that the Layer is built. */
  #scope: Scope.Closeable | undefined
  #opening: Promise<void> | undefined
  /** The calls that wait until it is built. */
  #waiting = new Set<(opened: Provider<R>["opened"]) => void>()
  #closing: Promise<void> | undefined
  readonly #abort = new AbortController()
  readonly #destroyed = new Once<void>()
  readonly pending = new Pending()
  current: Services<R> | undefined

  constructor(layer: Layer.Layer<RedisClient | R, E>) {
    this.#layer = layer
  }

  /** Calls that have waited go on in the order in which they came, and before calls that come later. */
  readonly opened: Provider<R>["opened"] = Effect.callback((resume) => {
    if (this.#closing !== undefined) return resume(Effect.fail(deeper(closed)))
    if (this.current !== undefined) return resume(Effect.succeed(this.current.context))
    this.#opening ??= outside(() => this.#build())
    const waiting = this.#waiting.add(resume)
    return Effect.sync(() => waiting.delete(resume))
  })

  close(drain?: Duration.Input): Promise<void> {
    const given = Effect.runSyncExit(duration("drain", drain, Duration.seconds(5), 0))
    return Exit.isSuccess(given) ? this.#closing ??= this.#end(given.value) : Promise.reject(Cause.squash(given.cause))
  }

  destroy(): Promise<void> {
    this.#destroyed.end(Exit.void)
    return this.#closing ??= this.#end(Duration.zero)
  }

  async #build(): Promise<void> {
    const scope = Scope.makeUnsafe()
    this.#scope = scope
    try {
      // The type says so, but this module is above all for programs that may be without types.
      const given: unknown = this.#layer
      const built: Effect.Effect<Context.Context<RedisClient | R>, E | RedisConfigError> = Layer.isLayer(given)
        ? Layer.buildWithScope(this.#layer, scope)
        : Effect.fail(notALayer())
      const services = new Services(await settled(steady, built, this.#abort.signal))
      if (this.#closing === undefined) this.current = services
      for (const resume of this.#waiting) resume(Effect.succeed(services.context))
      this.#waiting.clear()
    } catch (error) {
      // The next call builds it again, and has nothing to do with those that waited for this one.
      this.#opening = undefined
      const waiting = this.#waiting
      this.#waiting = new Set()
      await settled(steady, Effect.exit(Scope.close(scope, Exit.void)))
      for (const resume of waiting) resume(Effect.fail(error))
    }
  }

  async #end(drain: Duration.Duration): Promise<void> {
    // What comes from now on is refused.
    this.current = undefined
    const limit = Duration.toMillis(drain)
    if (limit > 0) {
      const drained = Effect.raceFirst(this.pending.none, this.#destroyed.outcome)
      await settled(steady, withTimeout(drained, { limit, orElse: () => Effect.void }))
    }
    this.#abort.abort(closed())
    await this.#opening
    // What runs by now keeps the context that it has, whose client fails it.
    if (this.#scope !== undefined) await settled(steady, Scope.close(this.#scope, Exit.void))
  }
}

/** The services of another provider, with a limit of its own for each command. */
export class Limited<R> implements Provider<R> {
  readonly #provider: Provider<R>
  readonly #limit: Duration.Duration
  /** The services that were limited last, and the same with the limit. They are made anew only when the client is built again. */
  #unlimited: Services<R> | undefined
  #limited: Services<R> | undefined

  constructor(provider: Provider<R>, limit: Duration.Duration) {
    this.#provider = provider
    this.#limit = limit
  }

  get current(): Services<R> | undefined {
    const { current } = this.#provider
    if (current !== this.#unlimited) {
      this.#unlimited = current
      this.#limited = current === undefined ? undefined : new Services(this.#withLimit(current.context))
    }
    return this.#limited
  }

  get pending(): Pending {
    return this.#provider.pending
  }

  get opened(): Provider<R>["opened"] {
    return Effect.map(this.#provider.opened, (context) => this.#withLimit(context))
  }

  close(drain?: Duration.Input): Promise<void> {
    return this.#provider.close(drain)
  }

  destroy(): Promise<void> {
    return this.#provider.destroy()
  }

  #withLimit(context: Context.Context<RedisClient | R>): Context.Context<RedisClient | R> {
    return Context.add(context, RedisClient, Context.get(context, RedisClient).withTimeout(this.#limit))
  }
}

/** Services that the effect of a body was given. They are closed where they were made. */
export const provided = <R>(context: Context.Context<RedisClient | R>): Provider<R> => ({
  current: new Services(context),
  opened: Effect.succeed(context),
  close: () => Promise.resolve(),
  destroy: () => Promise.resolve(),
  // The call that they were given to is pending.
  pending: new Pending()
})

const notALayer = (): RedisConfigError =>
  new RedisConfigError({
    option: "layer",
    detail:
      "RedisPromise.make takes a Layer, as NodeRedisClient.layer({ host, port }) and NodeRedisClient.layerUrl(url) return it"
  })

const closed = (): ConnectionError =>
  new ConnectionError({
    reason: "ClientClosed",
    detail: "The client was closed; it takes no calls after close() or destroy()",
    delivery: "not-sent",
    readonly: false
  })
