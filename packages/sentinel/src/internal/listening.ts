/**
 * Listens to what sentinels announce by themselves: to all of them, once for all clients of a group, as long as there
 * are any.
 */
import type { CommandError } from "@redfx/core/RedisError"
import { backOff, elapsedNow, errorIn, jitter, Listeners } from "@redfx/core/unstable/Runtime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { isPermanent } from "./failures.ts"
import type { Sentinel, Sentinels } from "./sentinels.ts"

/**
 * The channels that are listened to. One announces that another server is the master; the other announces before that
 * which server was chosen, and only the sentinel that leads the failover does so.
 */
const switched = "+switch-master"
const selected = "+selected-slave"

/**
 * Something that was heard: an announcement with its channel and sentinel, or that a sentinel is listened to from now
 * on, or no longer; or that one does not let this client listen, and will not by itself.
 */
export type Heard =
  | { readonly _tag: "Listening" }
  | { readonly _tag: "Lost" }
  | {
    readonly _tag: "Refused"
    readonly from: Sentinel
    readonly error: CommandError
    readonly retryAfter: Duration.Duration
  }
  | {
    readonly _tag: "Switched" | "Selected"
    readonly from: Sentinel
    readonly service: string
    readonly host: string
    readonly port: number
  }

/** The milliseconds after which a connection to a sentinel was of use. */
const steady = 1000

/** The pauses after a sentinel could not be listened to, in milliseconds. */
const pauses = { shortest: 50, longest: 5000 }

/** The listener to the sentinels of a group. */
export class Listening {
  readonly #sentinels: Sentinels
  readonly #listeners = new Listeners<Heard>()
  readonly #fibers: FiberMap.FiberMap<string>
  readonly #run: (name: string, effect: Effect.Effect<never>) => void
  /** The sentinels that are listened to. One that no longer is has a fiber until its connection is closed. */
  readonly #followed = new Set<string>()

  constructor(
    sentinels: Sentinels,
    fibers: FiberMap.FiberMap<string>,
    run: (name: string, effect: Effect.Effect<never>) => void
  ) {
    this.#sentinels = sentinels
    this.#fibers = fibers
    this.#run = run
  }

  /** Listens until the scope closes. */
  listen(listener: (heard: Heard) => void): Effect.Effect<void, never, Scope.Scope> {
    return Effect.asVoid(Effect.acquireRelease(
      Effect.sync(() => {
        const leave = this.#listeners.add(listener)
        this.reconcile()
        return leave
      }),
      (leave) =>
        Effect.sync(() => {
          leave()
          this.reconcile()
        })
    ))
  }

  /** Listens to the sentinels in the list, and to no others; to none when there is no listener. */
  reconcile(): void {
    const wanted = this.#listeners.size === 0 ? [] : this.#sentinels.inOrder
    const names = new Set(wanted.map(({ name }) => name))
    for (const [name, fiber] of Array.from(this.#fibers)) {
      if (names.has(name)) continue
      fiber.interruptUnsafe()
      this.#followed.delete(name)
    }
    for (const sentinel of wanted) {
      if (this.#followed.has(sentinel.name)) continue
      this.#followed.add(sentinel.name)
      this.#run(sentinel.name, this.#follow(sentinel))
    }
  }

  /** Listens to one sentinel, and again after it was lost. */
  #follow(sentinel: Sentinel): Effect.Effect<never> {
    const once = Effect.scoped(Effect.gen({ self: this }, function*() {
      const client = yield* this.#sentinels.connect(sentinel)
      const subscription = yield* client.pubSub.open({ events: true })
      yield* subscription.subscribe(switched)
      // Changes that came earlier are not announced.
      this.#listeners.tell({ _tag: "Listening" })
      // Not every user may subscribe to this channel, and nothing depends on it.
      yield* Effect.forkScoped(Effect.ignore(subscription.subscribe(selected)))
      yield* Stream.runForEachWhile(subscription.messages, (element) =>
        Effect.sync(() => {
          const heard = element._tag === "Message" ? heardIn(sentinel, element.channel, element.data) : undefined
          if (heard !== undefined) this.#listeners.tell(heard)
          if (element._tag === "Lost") this.#listeners.tell({ _tag: "Lost" })
          return element._tag !== "Lost"
        }))
    }))
    let failures = 0
    return Effect.forever(Effect.gen({ self: this }, function*() {
      const began = yield* elapsedNow
      const error = errorIn(yield* Effect.exit(once))
      failures = (yield* elapsedNow) - began > steady ? 0 : failures + 1
      const retryAfter = Duration.millis(yield* pauseAfter(failures))
      if (error !== undefined && error._tag !== "PubSubOverflowError" && isPermanent(error)) {
        this.#listeners.tell({ _tag: "Refused", from: sentinel, error, retryAfter })
      }
      yield* Effect.sleep(retryAfter)
    }))
  }
}

/** Reads `service oldHost oldPort newHost newPort`, or `slave name host port @ service masterHost masterPort`. */
const heardIn = (from: Sentinel, channel: string, text: string): Heard | undefined => {
  const words = text.split(" ")
  const [service, host, port] = channel === switched ? [words[0], words[3], words[4]] : [words[5], words[2], words[3]]
  return service === undefined || host === undefined || port === undefined
    ? undefined
    : { _tag: channel === switched ? "Switched" : "Selected", from, service, host, port: Number(port) }
}

const pauseAfter = (failures: number): Effect.Effect<number> =>
  failures === 0
    ? Effect.succeed(0)
    : Effect.map(jitter, (jitter) => backOff(failures, pauses) * jitter)

/**
 * Makes the listener to the sentinels of a group, which lives as long as the scope. It connects to none before somebody
 * listens.
 */
export const make = Effect.fnUntraced(function*(
  sentinels: Sentinels
): Effect.fn.Return<Listening, never, Scope.Scope> {
  const fibers = yield* FiberMap.make<string>()
  const fork = yield* FiberMap.runtime(fibers)<never>()
  const listening = new Listening(sentinels, fibers, (name, effect) => {
    fork(name, effect)
  })
  yield* sentinels.changes.listen(() => listening.reconcile())
  return listening
})
